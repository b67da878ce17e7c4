"""Examples of responses that were not stored: one for each reason, with what `lint` finds in its head.

An example is kept as it is, which costs a look into a table for each response. It is checked only when somebody asks,
on a thread, and then for a minute not again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from addon.origin.lint import CheckedResponse, Finding, Level, findings, own_findings
from addon.runtime.clock import elapsed_seconds
from cache.http.messages import Received, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored

logger = logging.getLogger(__name__)

KEPT = 60.0
"""Seconds for which an example is shown before a later response takes its place."""

MAX_FINDINGS = 3
"""Findings about one response, the worst ones."""

MAX_HEAD = 16_384
"""Characters of a head that httplint gets; of a longer one, only our own checks are made."""


@dataclass(frozen=True, slots=True)
class _Example:
    method: str
    url: str
    received: Received


class NotStoredExamples:
    """The examples of one pipeline. Used on the event loop only."""

    def __init__(self) -> None:
        self._examples: dict[NotStored, _Example] = {}
        self._described: dict[NotStored, tuple[float, dict[str, object]]] = {}
        """For each reason, when its example was checked by the elapsed time, and the result."""

    def wants(self, reason: NotStored) -> bool:
        """Return whether there is no example for a reason."""
        return reason not in self._examples

    def add(self, reason: NotStored, method: str, url: str, received: Received) -> None:
        """Keep a response of an origin as the example for a reason."""
        self._examples[reason] = _Example(method, url, received)

    async def described(self, policy: CachePolicy) -> dict[str, object]:
        """Return the examples by reason, each with its worst findings, as JSON has them."""
        now = elapsed_seconds()
        unchecked = {
            reason: example
            for reason, example in self._examples.items()
            if reason not in self._described or self._described[reason][0] + KEPT <= now
        }
        if unchecked:
            checked = await asyncio.to_thread(_checked, unchecked, policy)
            self._described |= {reason: (now, told) for reason, told in checked.items()}
            for reason in unchecked:
                self._examples.pop(reason, None)  # so that the next response is the next example
        return {str(reason): told for reason, (_, told) in self._described.items()}


def _checked(examples: Mapping[NotStored, _Example], policy: CachePolicy) -> dict[NotStored, dict[str, object]]:
    return {reason: _described(example, policy) for reason, example in examples.items()}


def _described(example: _Example, policy: CachePolicy) -> dict[str, object]:
    worst = [each for each in _findings(example.received, policy) if each.level in (Level.BAD, Level.WARNING)]
    return {
        "method": example.method,
        "url": example.url,
        "findings": [
            {"level": str(each.level), "subject": each.subject, "sentence": each.sentence, "source": each.source}
            for each in worst[:MAX_FINDINGS]
        ],
    }


def _findings(received: Received, policy: CachePolicy) -> list[Finding]:
    examined = CheckedResponse(received)
    if find_spec("httplint") is None or _length(received.head) > MAX_HEAD:
        return own_findings(examined, policy)
    try:
        return findings(examined, policy)
    except Exception:  # httplint says nowhere what it raises, and one odd head must not take the list from the page
        logger.debug("httplint cannot check a response", exc_info=True)
        return own_findings(examined, policy)


def _length(head: Response) -> int:
    return sum(len(name) + len(value) for name, value in head.fields)
