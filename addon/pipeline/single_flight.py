"""Single-flight: one fetch per key; the first request leads, later ones wait for its response to begin."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from cache.http.messages import Request
from cache.policy.reasons import Forwarded
from cache.rules.credentials import api_keys
from cache.rules.forwarded_fields import view_of
from cache.rules.key import is_normalised
from cache.rules.vary import VaryValues

HIT_FOR_PASS_SECONDS = 120.0
"""Seconds during which requests do not wait for each other after a response that could not be shared."""

HIT_FOR_PASS_AFTER_ERROR_SECONDS = 5.0
"""The same after a 5xx, since the next response may be another."""

MAX_HIT_FOR_PASS = 4096
"""Keys, with an audience each, that are remembered as hit-for-pass; beyond this number the oldest is dropped."""


ANYONE = 0
"""The audience of a fetch whose response any client may share, as far as is known."""


def audience_of(request: Request, fwd: Forwarded, variant: VaryValues = ()) -> int:
    """Return which requests for the same key may wait for each other: those with an equal audience.

    See `who_may_wait`. The numbers of another process are others.
    """
    audience = who_may_wait(request, fwd, variant)
    return hash(audience) if audience else ANYONE


def who_may_wait(request: Request, fwd: Forwarded, variant: VaryValues = ()) -> tuple[object, ...]:
    """Return what requests for the same key have in common that may wait for each other; nothing if all may.

    These are requests for the same spelling of the target, with the same `variant`: the values of the fields by which
    stored responses are selected. With a Cookie or an API key, and if nothing stored says that the response is public,
    these are the requests with the same. Behind trusted proxies, they also say the same about the request.
    """
    sent_by = (request.fields.all("cookie"), api_keys(request.fields)) if fwd is Forwarded.URI_MISS else ()
    credentials = sent_by if any(sent_by) else ()
    spelling = "" if is_normalised(request) else request.target
    different = credentials, variant, spelling, view_of(request)
    return different if any(different) else ()


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


class FlightLease(Protocol):
    """The lease by which a flight leads among several processes."""

    def end(self, result: FlightResult, seconds: float) -> None:
        """End it as the flight has ended; others need not wait for so many seconds."""


@dataclass(eq=False, slots=True)
class Flight:
    """One fetch that is under way."""

    key: str
    audience: int = ANYONE
    shareable: bool = False
    """Requests with the same key and audience could wait for it."""
    last_purge: int = 0
    """Number of the last purge when it began: a later one may cover the response."""
    marked_invalidated: bool = False
    """Its key was invalidated meanwhile in this process."""
    changed_elsewhere: Callable[[], bool] | None = None
    """Returns whether another process has invalidated its key meanwhile, if others use the store."""
    leader: asyncio.Task[object] | None = None
    """The task that fetches, if it is one."""
    lease: FlightLease | None = None
    """Its lease, if other processes use the store."""
    hit_for_pass_seconds: float = 0.0
    """Seconds for which requests need not wait after it."""
    _result: FlightResult | None = None
    _waited_for: asyncio.Event | None = None
    _waiting: int = 0
    """Requests that wait."""
    _abandoned: bool = False
    """The client of the leader is gone."""

    @property
    def invalidated(self) -> bool:
        """True if its key was invalidated meanwhile: the response is stored as needing validation (ledger INVAL-08)."""
        return self.marked_invalidated or (self.changed_elsewhere is not None and self.changed_elsewhere())

    def end(self, result: FlightResult) -> None:
        """Set the result and wake waiting requests. Only ARRIVING may be followed by another result."""
        if self._result in (None, FlightResult.ARRIVING):
            self._result = result
            if self._waited_for is not None:
                self._waited_for.set()
            if self.lease is not None and result is not FlightResult.ARRIVING:
                self.lease.end(result, self.hit_for_pass_seconds)

    def end_lease(self) -> None:
        """Let other processes go forward: they cannot read the response as it comes."""
        if self.lease is not None:
            self.lease.end(FlightResult.NOT_SHARED, 0.0)

    async def result(self, timeout_after: float) -> FlightResult:
        """Wait for the result, at most `timeout_after` seconds; NOT_SHARED after that."""
        if self._result is None:
            self._waited_for = self._waited_for or asyncio.Event()
            self._waiting += 1
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(timeout_after):
                        await self._waited_for.wait()
            finally:
                self._waiting -= 1
                self._stop_if_unneeded()
        return self._result or FlightResult.NOT_SHARED

    def abandon(self) -> None:
        """Stop the leader, whose client is gone, as soon as no other request waits for the response."""
        self._abandoned = True
        self._stop_if_unneeded()

    def _stop_if_unneeded(self) -> None:
        if self._abandoned and not self._waiting and self._result is None and self.leader is not None:
            self.leader.cancel()


class SingleFlight:
    """All fetches of one pipeline that are under way.

    Attributes:
        on_begin: Called with each new flight, if other processes use the store.
    """

    def __init__(
        self, last_purge: Callable[[], int] = lambda: 0, may_concern: Callable[[str, int], bool] = lambda _, __: False
    ) -> None:
        """Use the purges of a store. The arguments are methods of its generation table."""
        self.on_begin: Callable[[Flight], None] | None = None
        self._last_purge = last_purge
        self._may_concern = may_concern
        self._leading: dict[tuple[str, int], Flight] = {}
        self._all: set[Flight] = set()
        self._hit_for_pass: OrderedDict[tuple[str, int], float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many flights there are."""
        return len(self._all)

    def leader(self, key: str, audience: int = ANYONE) -> Flight | None:
        """Return the flight that fetches a key and may be waited for, or None."""
        flight = self._leading.get((key, audience))
        if flight is not None and self._may_concern(key, flight.last_purge):
            self._stop_leading(flight)
            return None
        return flight

    def begin(self, key: str, *, leads: bool, audience: int = ANYONE) -> Flight:
        """Return a new flight; other requests may wait for it if it `leads`. Always pass it to `finish` later."""
        flight = Flight(key, audience, shareable=leads, last_purge=self._last_purge())
        self._all.add(flight)
        if leads and self.leader(key, audience) is None:
            self._leading[key, audience] = flight
        if self.on_begin is not None:
            self.on_begin(flight)
        return flight

    def abandon(self, task: asyncio.Task[object]) -> None:
        """Stop a response whose client is gone, unless other requests wait for what it fetches."""
        flight = next((flight for flight in self._all if flight.leader is task), None)
        if flight is not None:
            flight.abandon()
        else:
            task.cancel()  # it waits for the fetch of another request, or for nothing yet

    def finish(self, flight: Flight) -> None:
        """Remove a flight; requests that still wait for it go to the origin."""
        flight.end(FlightResult.NOT_SHARED)
        self._all.discard(flight)
        name = flight.key, flight.audience
        if self._leading.get(name) is flight:
            del self._leading[name]

    def mark_invalidated(self, key: str, but: Flight | None = None) -> None:
        """Mark the flights for a key as started before its invalidation, except the one that caused it."""
        for flight in self._all:
            if flight.key == key and flight is not but:
                flight.marked_invalidated = True
                self._stop_leading(flight)

    def forget_purged(self, purged: Callable[[str], bool]) -> None:
        """Let no request wait for flights that began before a purge of all keys that `purged` accepts."""
        self.stop_leading(purged)
        for name in [name for name in self._hit_for_pass if purged(name[0])]:
            del self._hit_for_pass[name]

    def stop_leading(self, concerned: Callable[[str], bool]) -> None:
        """Let the next request for each key that `concerned` accepts lead; no request waits for an earlier one."""
        for flight in [flight for flight in self._leading.values() if concerned(flight.key)]:
            self._stop_leading(flight)

    def _stop_leading(self, flight: Flight) -> None:
        """Let the next request lead: the response to this flight is older than that request."""
        if self._leading.get((flight.key, flight.audience)) is flight:
            del self._leading[flight.key, flight.audience]
            flight.end(FlightResult.ASK_ANEW)

    # ---- hit-for-pass: waiting for a response that cannot be shared only costs time

    def mark_hit_for_pass(self, flight: Flight, now: float, seconds: float = HIT_FOR_PASS_SECONDS) -> None:
        """Note that the response to a flight could not be shared. A flight that could not be shared says nothing."""
        if not flight.shareable:
            return
        flight.hit_for_pass_seconds = seconds
        name = flight.key, flight.audience
        self._hit_for_pass[name] = now + seconds
        self._hit_for_pass.move_to_end(name)
        if len(self._hit_for_pass) > MAX_HIT_FOR_PASS:
            self._hit_for_pass.popitem(last=False)

    def clear_hit_for_pass(self, flight: Flight) -> None:
        """Note that the response to a flight can be shared."""
        self._hit_for_pass.pop((flight.key, flight.audience), None)
        self._hit_for_pass.pop((flight.key, ANYONE), None)

    def is_hit_for_pass(self, key: str, now: float, audience: int = ANYONE) -> bool:
        """Return whether the last response for a key and audience could not be shared, a short time ago."""
        # a later time is from before the clock was set back
        return now < self._hit_for_pass.get((key, audience), 0.0) <= now + HIT_FOR_PASS_SECONDS
