"""One fetch for many: who asks for a key first leads, the others wait for how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class Ending(Enum):
    """How a flight ended, as far as those who waited for it are concerned."""

    STORED = "stored"
    """What it brought is in the store."""
    NOT_SHARED = "not-shared"
    """It brought nothing that another request may use; everybody goes forward alone."""


@dataclass(eq=False, slots=True)
class Flight:
    """A fetch that is under way."""

    key: str
    overtaken: bool = False
    """Purged while under way: what it brings must not be stored."""
    outdated: bool = False
    """Invalidated while under way: what it brings is stored as needing validation (ledger INVAL-08)."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: Ending = Ending.NOT_SHARED

    def end(self, ending: Ending) -> None:
        """Tell those who wait; only the first ending counts."""
        if not self._ended.is_set():
            self._ending = ending
            self._ended.set()

    async def ending(self, timeout_after: float) -> Ending:
        """Wait for the end, but no longer than `timeout_after` seconds: then nothing is shared."""
        try:
            async with asyncio.timeout(timeout_after):
                await self._ended.wait()
        except TimeoutError:
            return Ending.NOT_SHARED
        return self._ending


class Flights:
    """All fetches under way in this process."""

    def __init__(self) -> None:
        self._leading: dict[str, Flight] = {}
        self._all: set[Flight] = set()

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
        flight.end(Ending.NOT_SHARED)
        self._all.discard(flight)
        if self._leading.get(flight.key) is flight:
            del self._leading[flight.key]

    def outdate(self, key: str) -> None:
        """Note that what is under way for a key started before it was invalidated."""
        for flight in self._all:
            flight.outdated |= flight.key == key

    def overtake(self, purged: Callable[[str], bool]) -> None:
        """Note that what is under way for keys that `purged` accepts must not be stored."""
        for flight in self._all:
            flight.overtaken |= purged(flight.key)
