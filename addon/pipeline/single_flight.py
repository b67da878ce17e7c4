"""Single-flight: one fetch per key; the first request leads, later ones wait for its response to begin.

If that takes long, one of those that wait leads another fetch, and the others wait for either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from addon.pipeline.flight import Flight, FlightResult, WaitingList
from addon.pipeline.recent_values import RecentValues
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
"""Keys, with an audience each, that are remembered as hit-for-pass at least; at most twice as many are."""


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


class SingleFlight:
    """All fetches of one pipeline that are under way.

    Attributes:
        on_begin: Called with each new flight, if other processes use the store.
        now: Returns seconds, on a clock that is never set back.
    """

    def __init__(
        self,
        last_purge: Callable[[], int] = lambda: 0,
        may_concern: Callable[[str, int], bool] = lambda _, __: False,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Use the purges of a store.

        Args:
            last_purge: A method of the store's generation table.
            may_concern: Another one.
            now: As the attribute.
        """
        self.on_begin: Callable[[Flight], None] | None = None
        self.now = now
        self._last_purge = last_purge
        self._may_concern = may_concern
        self._leading: dict[tuple[str, int], WaitingList] = {}
        self._all: set[Flight] = set()
        self._hit_for_pass = RecentValues[tuple[str, int], float](MAX_HIT_FOR_PASS)

    def __len__(self) -> int:
        """Return how many flights there are."""
        return len(self._all)

    def leader(self, key: str, audience: int = ANYONE) -> Flight | None:
        """Return the newest flight that fetches a key and may be waited for, or None."""
        waiting_list = self.waiting_list(key, audience)
        return waiting_list.flights[-1] if waiting_list is not None else None

    def waiting_list(self, key: str, audience: int = ANYONE) -> WaitingList | None:
        """Return the flights that fetch a key and may be waited for, or None if there is none."""
        waiting_list = self._leading.get((key, audience))
        if waiting_list is None:
            return None
        for flight in [each for each in waiting_list.flights if self._may_concern(key, each.last_purge)]:
            self._stop_leading(flight)
        return waiting_list if waiting_list.flights else None

    def begin(self, key: str, *, leads: bool, audience: int = ANYONE) -> Flight:
        """Return a new flight; other requests may wait for it if it `leads`. Always pass it to `finish` later."""
        flight = Flight(key, audience, shareable=leads, last_purge=self._last_purge(), since=self.now())
        self._all.add(flight)
        if leads:
            newest = self.leader(key, audience)
            if newest is None or newest.is_late:
                self._lead(flight)
        if self.on_begin is not None:
            self.on_begin(flight)
        return flight

    def _lead(self, flight: Flight) -> None:
        name = flight.key, flight.audience
        waiting_list = self._leading.get(name)
        if waiting_list is None:
            waiting_list = self._leading[name] = WaitingList(self.now)
        waiting_list.flights.append(flight)
        flight.waiting_list = waiting_list

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
        self._remove(flight)
        flight.waiting_list = None  # which refers to the flight: both go now, not with the next garbage

    def _remove(self, flight: Flight) -> bool:
        """Let no more requests wait for a flight. Return whether they could."""
        name = flight.key, flight.audience
        waiting_list = self._leading.get(name)
        was_led = waiting_list is not None and waiting_list.remove(flight)
        if waiting_list is not None and not waiting_list.flights:
            del self._leading[name]
        return was_led

    def mark_invalidated(self, key: str, but: Flight | None = None) -> None:
        """Mark the flights for a key as started before its invalidation, except the one that caused it."""
        for flight in self._all:
            if flight.key == key and flight is not but:
                flight.marked_invalidated = True
                self._stop_leading(flight)

    def forget_purged(self, purged: Callable[[str], bool]) -> None:
        """Let no request wait for flights that began before a purge of all keys that `purged` accepts."""
        self.stop_leading(purged)
        self._hit_for_pass.drop_where(lambda name: purged(name[0]))

    def stop_leading(self, concerned: Callable[[str], bool]) -> None:
        """Let the next request for each key that `concerned` accepts lead; no request waits for an earlier one."""
        led = [flight for flights in self._leading.values() for flight in flights.flights]
        for flight in [flight for flight in led if concerned(flight.key)]:
            self._stop_leading(flight)

    def _stop_leading(self, flight: Flight) -> None:
        """Let the next request lead: the response to this flight is older than that request."""
        if self._remove(flight):
            flight.end(FlightResult.ASK_ANEW)

    # ---- hit-for-pass: waiting for a response that cannot be shared only costs time

    def mark_hit_for_pass(self, flight: Flight, now: float, seconds: float = HIT_FOR_PASS_SECONDS) -> None:
        """Note that the response to a flight could not be shared. A flight that could not be shared says nothing."""
        if not flight.shareable:
            return
        flight.hit_for_pass_seconds = seconds
        self._hit_for_pass[flight.key, flight.audience] = now + seconds

    def clear_hit_for_pass(self, flight: Flight) -> None:
        """Note that the response to a flight can be shared."""
        self._hit_for_pass.drop((flight.key, flight.audience))
        self._hit_for_pass.drop((flight.key, ANYONE))

    def is_hit_for_pass(self, key: str, now: float, audience: int = ANYONE) -> bool:
        """Return whether the last response for a key and audience could not be shared, a short time ago."""
        # a later time is from before the clock was set back
        until = self._hit_for_pass.get((key, audience))
        return until is not None and now < until <= now + HIT_FOR_PASS_SECONDS
