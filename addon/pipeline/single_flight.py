"""One fetch for many: who asks for a key first leads, the others wait for its answer to begin."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

HIT_FOR_PASS_SECONDS = 5.0
"""Seconds during which nobody waits for a key whose answer turned out to be for one request only."""

MAX_HIT_FOR_PASS = 4096
"""Keys of which that is remembered."""


class FlightResult(Enum):
    """What became of a flight, as far as those who waited for it are concerned."""

    ARRIVING = "arriving"
    """Its answer has begun to come, and may be shared as it comes."""
    STORED = "stored"
    """What it brought is in the store."""
    NOT_SHARED = "not-shared"
    """It brought nothing that another request may use; everybody goes forward alone."""
    ASK_ANEW = "ask-anew"
    """It was given up or overtaken before it brought anything; the first to ask again leads."""


@dataclass(eq=False, slots=True)
class Flight:
    """A fetch that is under way."""

    key: str
    purged: bool = False
    """Purged while under way: what it brings must not be stored."""
    invalidated: bool = False
    """Invalidated while under way: what it brings is stored as needing validation (ledger INVAL-08)."""
    _result: FlightResult | None = None
    _waited_for: asyncio.Event | None = None

    def end(self, result: FlightResult) -> None:
        """Tell those who wait; only the first ending counts, and that what was arriving is stored by now."""
        if self._result in (None, FlightResult.ARRIVING):
            self._result = result
            if self._waited_for is not None:
                self._waited_for.set()

    async def result(self, timeout_after: float) -> FlightResult:
        """Wait until it is known, but no longer than `timeout_after` seconds: then nothing is shared."""
        if self._result is None:
            self._waited_for = self._waited_for or asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_after):
                    await self._waited_for.wait()
        return self._result or FlightResult.NOT_SHARED


class SingleFlight:
    """All fetches under way in this process."""

    def __init__(self) -> None:
        self._leading: dict[str, Flight] = {}
        self._all: set[Flight] = set()
        self._hit_for_pass: OrderedDict[str, float] = OrderedDict()

    def leader(self, key: str) -> Flight | None:
        """Return the flight to wait for, or None if nobody is fetching that key."""
        return self._leading.get(key)

    def begin(self, key: str, *, leads: bool) -> Flight:
        """Return a new flight; others may wait for it if it `leads`. Must be given to `finish`, whatever happens."""
        flight = Flight(key)
        self._all.add(flight)
        if leads:
            self._leading.setdefault(key, flight)
        return flight

    def finish(self, flight: Flight) -> None:
        """Forget a flight; who still waits for it goes forward alone."""
        flight.end(FlightResult.NOT_SHARED)
        self._all.discard(flight)
        self._stop_leading(flight)

    def mark_invalidated(self, key: str, but: Flight | None = None) -> None:
        """Note that what is under way for a key started before it was invalidated, `but` the one that did it."""
        for flight in self._all:
            if flight.key == key and flight is not but:
                flight.invalidated = True
                self._stop_leading(flight)

    def mark_purged(self, purged: Callable[[str], bool]) -> None:
        """Note that what is under way for keys that `purged` accepts must not be stored."""
        for flight in self._all:
            if purged(flight.key):
                flight.purged = True
                self._stop_leading(flight)
        for key in filter(purged, list(self._hit_for_pass)):
            del self._hit_for_pass[key]

    def _stop_leading(self, flight: Flight) -> None:
        """Let the next who asks lead; what this flight brings is older than that request."""
        if self._leading.get(flight.key) is flight:
            del self._leading[flight.key]
            flight.end(FlightResult.ASK_ANEW)

    # ---- hit-for-miss: waiting for what cannot be shared would only cost time

    def mark_hit_for_pass(self, key: str, now: float) -> None:
        """Note that an answer for a key could not be shared."""
        self._hit_for_pass[key] = now + HIT_FOR_PASS_SECONDS
        self._hit_for_pass.move_to_end(key)
        if len(self._hit_for_pass) > MAX_HIT_FOR_PASS:
            self._hit_for_pass.popitem(last=False)

    def clear_hit_for_pass(self, key: str) -> None:
        """Note that answers for a key can be shared."""
        self._hit_for_pass.pop(key, None)

    def is_hit_for_pass(self, key: str, now: float) -> bool:
        """Tell whether answers for a key could not be shared a moment ago."""
        return self._hit_for_pass.get(key, 0.0) > now
