"""Responses that were passed on and not stored: they are logged, and the latest ones are remembered for `why`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from addon.pipeline.not_stored_examples import NotStoredExamples
from addon.pipeline.recent_values import RecentValues
from addon.runtime.counters import Counters
from addon.runtime.host_counters import host_counter
from cache.answer.cache_status import Handling
from cache.http.messages import Received
from cache.http.record import record
from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse

MAX_KEYS = 10_000
"""Keys that are remembered at least; at most twice as many are."""

logger = logging.getLogger(__name__)


@record
class NotStoredNote:
    """The last response to a method under a key, which was not stored."""

    at: float
    """The time at which it came, in seconds since the epoch."""
    reason: NotStored
    status: int | None
    """The origin's status, if it has answered."""


class NotStoredLog:
    """Remembers by the hash of method and key: keys may be long, and an equal hash of two keys is very unlikely.

    Attributes:
        examples: A response for each reason.
    """

    def __init__(self, clock: Callable[[], float], counters: Counters) -> None:
        """Count by `counters` what is not counted elsewhere. `clock` returns seconds since the epoch."""
        self.examples = NotStoredExamples()
        self._clock = clock
        self._counters = counters
        self._notes = RecentValues[int, NotStoredNote](MAX_KEYS)

    def relayed(self, method: str, key: str, note: NotStoredNote) -> None:
        """Note a response that is passed on and not stored, and was counted."""
        self._remember(method, key, note)
        if logger.isEnabledFor(logging.INFO):
            logger.info("%s not stored: %s", key, note.reason)

    def gave_up(self, entry: StoredResponse, handling: Handling, reason: NotStored, why: str) -> None:
        """Note and count a response that was to be stored as `entry` and could not be; `why` is for the log."""
        counter = f"not_stored.{reason}"
        self._counters.count_each((counter, host_counter(urlsplit(entry.key).netloc, counter)))
        self._remember(entry.method, entry.key, NotStoredNote(self._clock(), reason, handling.fwd_status))
        received = Received(entry.head, entry.request_time, entry.response_time)
        self.examples.add(reason, entry.method, entry.target, received)
        logger.info("%s not stored: %s (%s)", entry.key, reason, why)

    def _remember(self, method: str, key: str, note: NotStoredNote) -> None:
        self._notes[hash((method, key))] = note

    def stored(self, method: str, key: str) -> None:
        """Forget what was noted before a response was stored."""
        self._notes.drop(hash((method, key)))

    def find(self, method: str, key: str) -> NotStoredNote | None:
        """Return what is remembered of a method and a key, or None."""
        return self._notes.get(hash((method, key)))
