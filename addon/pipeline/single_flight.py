"""Single-flight: one fetch per key; the first request leads, later ones wait for its response to begin."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

HIT_FOR_PASS_SECONDS = 5.0
"""Seconds during which requests do not wait for each other after a response that could not be shared."""

MAX_HIT_FOR_PASS = 4096
"""Keys that are remembered as hit-for-pass; beyond this number the oldest is dropped."""


class FlightResult(Enum):
    """The result of a flight for the requests that wait for it."""

    ARRIVING = "arriving"
    """The response has begun, and waiting requests may read it as it comes."""
    STORED = "stored"
    """The response is in the store."""
    NOT_SHARED = "not-shared"
    """The response may not be shared; every waiting request goes to the origin."""
    ASK_ANEW = "ask-anew"
    """The flight ended without a response; the first request that tries again leads."""


@dataclass(eq=False, slots=True)
class Flight:
    """One fetch that is under way."""

    key: str
    purged: bool = False
    """Its key was purged meanwhile: the response must not be stored."""
    invalidated: bool = False
    """Its key was invalidated meanwhile: the response is stored as needing validation (ledger INVAL-08)."""
    _result: FlightResult | None = None
    _waited_for: asyncio.Event | None = None

    def end(self, result: FlightResult) -> None:
        """Set the result and wake waiting requests. Only ARRIVING may be followed by another result."""
        if self._result in (None, FlightResult.ARRIVING):
            self._result = result
            if self._waited_for is not None:
                self._waited_for.set()

    async def result(self, timeout_after: float) -> FlightResult:
        """Wait for the result, at most `timeout_after` seconds; NOT_SHARED after that."""
        if self._result is None:
            self._waited_for = self._waited_for or asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_after):
                    await self._waited_for.wait()
        return self._result or FlightResult.NOT_SHARED


class SingleFlight:
    """All fetches of one pipeline that are under way."""

    def __init__(self) -> None:
        self._leading: dict[str, Flight] = {}
        self._all: set[Flight] = set()
        self._hit_for_pass: OrderedDict[str, float] = OrderedDict()

    def leader(self, key: str) -> Flight | None:
        """Return the flight that fetches a key and may be waited for, or None."""
        return self._leading.get(key)

    def begin(self, key: str, *, leads: bool) -> Flight:
        """Return a new flight; other requests may wait for it if it `leads`. Always pass it to `finish` later."""
        flight = Flight(key)
        self._all.add(flight)
        if leads:
            self._leading.setdefault(key, flight)
        return flight

    def finish(self, flight: Flight) -> None:
        """Remove a flight; requests that still wait for it go to the origin."""
        flight.end(FlightResult.NOT_SHARED)
        self._all.discard(flight)
        self._stop_leading(flight)

    def mark_invalidated(self, key: str, but: Flight | None = None) -> None:
        """Mark the flights for a key as started before its invalidation, except the one that caused it."""
        for flight in self._all:
            if flight.key == key and flight is not but:
                flight.invalidated = True
                self._stop_leading(flight)

    def mark_purged(self, purged: Callable[[str], bool]) -> None:
        """Mark the flights for all keys that `purged` accepts: their responses must not be stored."""
        for flight in self._all:
            if purged(flight.key):
                flight.purged = True
                self._stop_leading(flight)
        for key in filter(purged, list(self._hit_for_pass)):
            del self._hit_for_pass[key]

    def _stop_leading(self, flight: Flight) -> None:
        """Let the next request lead: the response to this flight is older than that request."""
        if self._leading.get(flight.key) is flight:
            del self._leading[flight.key]
            flight.end(FlightResult.ASK_ANEW)

    # ---- hit-for-pass: waiting for a response that cannot be shared only costs time

    def mark_hit_for_pass(self, key: str, now: float) -> None:
        """Note that a response for a key could not be shared."""
        self._hit_for_pass[key] = now + HIT_FOR_PASS_SECONDS
        self._hit_for_pass.move_to_end(key)
        if len(self._hit_for_pass) > MAX_HIT_FOR_PASS:
            self._hit_for_pass.popitem(last=False)

    def clear_hit_for_pass(self, key: str) -> None:
        """Note that responses for a key can be shared."""
        self._hit_for_pass.pop(key, None)

    def is_hit_for_pass(self, key: str, now: float) -> bool:
        """Return whether the last response for a key could not be shared, a few seconds ago at most."""
        return self._hit_for_pass.get(key, 0.0) > now
