"""One fetch for many: who asks for a key first leads, the others wait for its answer to begin."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

UNSHARED_FOR = 5.0
"""Seconds during which nobody waits for a key whose answer turned out to be for one request only."""

MAX_UNSHARED = 4096
"""Keys of which that is remembered."""


class Ending(Enum):
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
    overtaken: bool = False
    """Purged while under way: what it brings must not be stored."""
    outdated: bool = False
    """Invalidated while under way: what it brings is stored as needing validation (ledger INVAL-08)."""
    _ending: Ending | None = None
    _waited_for: asyncio.Event | None = None

    def end(self, ending: Ending) -> None:
        """Tell those who wait; only the first ending counts, and that what was arriving is stored by now."""
        if self._ending in (None, Ending.ARRIVING):
            self._ending = ending
            if self._waited_for is not None:
                self._waited_for.set()

    async def ending(self, timeout_after: float) -> Ending:
        """Wait until it is known, but no longer than `timeout_after` seconds: then nothing is shared."""
        if self._ending is None:
            self._waited_for = self._waited_for or asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_after):
                    await self._waited_for.wait()
        return self._ending or Ending.NOT_SHARED


class Flights:
    """All fetches under way in this process."""

    def __init__(self) -> None:
        self._leading: dict[str, Flight] = {}
        self._all: set[Flight] = set()
        self._unshared: OrderedDict[str, float] = OrderedDict()

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
        self._dethrone(flight)

    def outdate(self, key: str, but: Flight | None = None) -> None:
        """Note that what is under way for a key started before it was invalidated, `but` the one that did it."""
        for flight in self._all:
            if flight.key == key and flight is not but:
                flight.outdated = True
                self._dethrone(flight)

    def overtake(self, purged: Callable[[str], bool]) -> None:
        """Note that what is under way for keys that `purged` accepts must not be stored."""
        for flight in self._all:
            if purged(flight.key):
                flight.overtaken = True
                self._dethrone(flight)
        for key in filter(purged, list(self._unshared)):
            del self._unshared[key]

    def _dethrone(self, flight: Flight) -> None:
        """Let the next who asks lead; what this flight brings is older than that request."""
        if self._leading.get(flight.key) is flight:
            del self._leading[flight.key]
            flight.end(Ending.ASK_ANEW)

    # ---- hit-for-miss: waiting for what cannot be shared would only cost time

    def note_unshared(self, key: str, now: float) -> None:
        """Note that an answer for a key could not be shared."""
        self._unshared[key] = now + UNSHARED_FOR
        self._unshared.move_to_end(key)
        if len(self._unshared) > MAX_UNSHARED:
            self._unshared.popitem(last=False)

    def note_shared(self, key: str) -> None:
        """Note that answers for a key can be shared."""
        self._unshared.pop(key, None)

    def is_unshared(self, key: str, now: float) -> bool:
        """Tell whether answers for a key could not be shared a moment ago."""
        return self._unshared.get(key, 0.0) > now
