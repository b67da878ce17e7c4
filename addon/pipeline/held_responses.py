"""Responses whose content mitmproxy holds in memory until it is whole; they are stored then."""

from __future__ import annotations

from collections import OrderedDict

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.single_flight import Flight, SingleFlight
from addon.runtime.counters import Counters
from cache.engine.decisions import Change, Store

MAX_HELD_RESPONSES = 1024
"""Responses that may still come to `keep`; beyond this number the oldest is dropped."""


class HeldResponses:
    """Storable responses between their head and their content, so that purges meanwhile are not overlooked."""

    def __init__(self, store: AsyncStore, single_flight: SingleFlight, counters: Counters) -> None:
        self._store = store
        self._single_flight = single_flight
        self._counters = counters
        self._held: OrderedDict[str, tuple[Flight, tuple[Change, ...]]] = OrderedDict()

    def hold(self, outcome: Store) -> None:
        """Watch the key of a response for purges and invalidations until `keep`, which may never be called."""
        self._held[outcome.entry.id] = self._single_flight.begin(outcome.entry.key, leads=False), outcome.changes
        if len(self._held) > MAX_HELD_RESPONSES:
            _, (flight, _) = self._held.popitem(last=False)
            self._single_flight.finish(flight)

    async def keep(self, outcome: Store, content: bytes) -> None:
        """Store a held response with its content."""
        flight, _ = self._held.pop(outcome.entry.id, (None, ()))
        reason = await self._store.keep(
            outcome.entry, content, outcome.replaces, flight=flight, secrets=outcome.secrets
        )
        if reason:
            self._counters.count(f"not_stored.{reason}")
        if flight:
            self._single_flight.finish(flight)

    def flight_of(self, changes: tuple[Change, ...]) -> Flight | None:
        """Return the flight of the held response that brought these changes, if it is one."""
        return next((flight for flight, brought in reversed(self._held.values()) if brought is changes), None)
