"""The responses that were not stored since the start, by reason and host, with what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from addon.runtime.counters import members_of
from addon.serve.admin import results
from cache.policy.reason_texts import text_of
from cache.policy.reasons import NotStored
from cache.policy.storing_remedies import remedy_of

_FAMILY = "not_stored"


def not_stored_by_reason(
    counters: Mapping[str, int], hosts: Mapping[str, Any], examples: Mapping[str, Any]
) -> results.NotStoredByReason:
    """Return the reasons, the most frequent first.

    Args:
        counters: The counters of the proxy by name.
        hosts: Those of each host, by name.
        examples: A response for each reason, with the findings about it.
    """
    members = members_of(counters, _FAMILY).items()
    return {"reasons": [_described(NotStored(name), number, hosts, examples.get(name)) for name, number in members]}


def _described(
    reason: NotStored, responses: int, hosts: Mapping[str, Any], example: results.NotStoredExample | None
) -> results.NotStored:
    text = text_of(reason)
    counter = f"{_FAMILY}.{reason}"
    by_host = {host: counters[counter] for host, counters in hosts.items() if counter in counters}
    return {
        "reason": str(reason),
        "sentence": text.sentence,
        "source": text.source,
        "remedy": remedy_of(reason),
        "responses": responses,
        "hosts": dict(sorted(by_host.items(), key=lambda each: -each[1])),
        "example": example,
    }
