"""A flight: one fetch under way, and the requests that wait until it, or another one for the same, can answer them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from addon.origin import OriginFailure


class FlightResult(Enum):
    """The result of a flight, or of waiting for several, for the requests that wait."""

    ARRIVING = "arriving"
    """The response has begun, and waiting requests may read it as it comes."""
    STORED = "stored"
    """The response is in the store."""
    NOT_SHARED = "not-shared"
    """The response may not be shared; every waiting request goes to the origin."""
    ASK_ANEW = "ask-anew"
    """The flight ended without a response; the first request that tries again leads."""
    FAILED = "failed"
    """The origin could not be asked, or sent no response."""
    LATE = "late"
    """No flight has a response yet, and the newest takes long: the first request that waits leads another one."""


class FlightLease(Protocol):
    """The lease by which a flight leads among several processes."""

    def end(self, result: FlightResult, seconds: float) -> None:
        """End it as the flight has ended; others need not wait for so many seconds."""


@dataclass(eq=False, slots=True)
class Flight:
    """One fetch that is under way."""

    key: str
    audience: int
    shareable: bool = False
    """Requests with the same key and audience could wait for it."""
    last_purge: int = 0
    """Number of the last purge when it began: a later one may cover the response."""
    since: float = 0.0
    """Its begin, in seconds on a clock that is never set back; infinite while it waits for its lease."""
    is_late: bool = False
    """Another flight may be waited for as well."""
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
    result: FlightResult | None = None
    """Its result so far."""
    failure: OriginFailure | None = None
    """The reason why it has no response, if its result is FAILED."""
    waiting_list: WaitingList | None = None
    """The requests that may wait for it."""
    _abandoned: bool = False
    """The client of the leader is gone."""

    @property
    def invalidated(self) -> bool:
        """True if its key was invalidated meanwhile: the response is stored as needing validation (ledger INVAL-08)."""
        return self.marked_invalidated or (self.changed_elsewhere is not None and self.changed_elsewhere())

    def end(self, result: FlightResult) -> None:
        """Set the result and wake waiting requests. Only ARRIVING may be followed by another result."""
        if self.result in (None, FlightResult.ARRIVING):
            self.result = result
            if self.waiting_list is not None:
                self.waiting_list.note_result(self, result)
            if self.lease is not None and result is not FlightResult.ARRIVING:
                self.lease.end(result, self.hit_for_pass_seconds)

    def fail(self, failure: OriginFailure) -> None:
        """End without a response, for this reason."""
        self.failure = failure
        self.end(FlightResult.FAILED)

    def end_lease(self) -> None:
        """Let other processes go forward: they cannot read the response as it comes."""
        if self.lease is not None:
            self.lease.end(FlightResult.NOT_SHARED, 0.0)

    def mark_late(self) -> None:
        """Let another request lead, here and in other processes. This flight goes on."""
        self.is_late = True
        self.end_lease()

    def abandon(self) -> None:
        """Stop the leader, whose client is gone, as soon as no other request waits for the response."""
        self._abandoned = True
        self.stop_if_unneeded()

    def stop_if_unneeded(self) -> None:
        """Stop the leader if its client is gone, and no other request waits for the response."""
        is_awaited = self.waiting_list is not None and self.waiting_list.waiting
        if self._abandoned and not is_awaited and self.result is None and self.leader is not None:
            self.leader.cancel()


type Answer = tuple[FlightResult, Flight]
"""A result for the requests that wait, and the flight that it is from."""


class WaitingList:
    """The flights for one key and audience, the oldest first, and the requests that wait until one can answer them.

    There is one flight, and one more each time that the newest is late.

    Attributes:
        flights: Those that may have a response. Requests wait for all of them.
        waiting: How many requests wait.
    """

    __slots__ = ("_last", "_now", "_timer", "_woken", "flights", "waiting")

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin without flights. `now` returns seconds, on a clock that is never set back."""
        self.flights: list[Flight] = []
        self.waiting = 0
        self._now = now
        self._last: Answer | None = None
        self._woken: asyncio.Future[Answer | None] | None = None
        """Has the next answer, or None if the newest flight is late."""
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self, limit: float) -> Answer:
        """Wait until a flight has a result, or the newest has gone on for `limit` seconds without one.

        After LATE, the request that is the first to begin another flight leads it, and the others wait again.
        """
        answer = self._known(limit)
        while answer is None:
            answer = await self._wait(limit) or self._known(limit)
        return answer

    def _known(self, limit: float) -> Answer | None:
        for flight in self.flights:
            if flight.result is not None:
                return flight.result, flight
        if not self.flights:
            return self._last
        return (FlightResult.LATE, self.flights[-1]) if self._is_late(limit) else None

    def _is_late(self, limit: float) -> bool:
        newest = self.flights[-1]
        if not newest.is_late and self._now() - newest.since >= limit:
            newest.mark_late()
        return newest.is_late

    async def _wait(self, limit: float) -> Answer | None:
        if self._woken is None:
            self._woken = asyncio.get_running_loop().create_future()
        if self._timer is None:
            self._set_timer(limit)
        self.waiting += 1
        try:
            return await asyncio.shield(self._woken)  # all who wait share the same future
        finally:
            self.waiting -= 1
            if not self.waiting:
                self._stop()

    def _set_timer(self, limit: float) -> None:
        left = min(limit, self.flights[-1].since + limit - self._now())
        self._timer = asyncio.get_running_loop().call_later(left, self._look, limit)

    def _look(self, limit: float) -> None:
        """Wake those who wait if the newest flight is late. It may have begun after the timer was set."""
        self._timer = None
        if not self.flights or self._is_late(limit):
            self._wake(None)
        else:
            self._set_timer(limit)

    def _wake(self, answer: Answer | None) -> None:
        woken, self._woken = self._woken, None
        if woken is not None and not woken.done():
            woken.set_result(answer)

    def _stop(self) -> None:
        """Stop what went on only for the requests that have waited."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for flight in self.flights:
            flight.stop_if_unneeded()

    def note_result(self, flight: Flight, result: FlightResult) -> None:
        """Wake those who wait, since a flight has a result."""
        if result in (FlightResult.ASK_ANEW, FlightResult.FAILED):
            self.remove(flight)
        self._last = result, flight
        self._wake(self._last)

    def remove(self, flight: Flight) -> bool:
        """Let no more requests wait for a flight. Return whether they could."""
        if flight not in self.flights:
            return False
        self.flights.remove(flight)
        return True
