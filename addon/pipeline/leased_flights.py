"""Single-flight among the processes on one store: a flight that leads in its worker asks for the lease of its key.

The worker that holds the lease fetches. The others look into the store again once it has stored the response, and go
forward by themselves if it may not be shared, or if this takes too long.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from hashlib import blake2b

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.single_flight import ANYONE, SingleFlight, who_may_wait
from addon.runtime.leases.answers import Answer, AskedLease, LeaseName, Leases
from addon.runtime.leases.frames import NAME_SIZE, Result
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request
from cache.policy.reasons import Detail

_RESULTS = {
    FlightResult.NOT_SHARED: Result.NOT_SHARED,
    FlightResult.FAILED: Result.NOT_SHARED,
    FlightResult.ASK_ANEW: Result.PASSED_ON,
}

Answered = Callable[[bool], None]
"""Called with True if the store is to be asked again, since another worker has stored a response; else to fetch."""


class LeasedFlights:
    """Asks for the leases of one pipeline.

    Attributes:
        limit: Seconds that a worker waits for another one, and for which it asks for a lease.
    """

    def __init__(
        self,
        client: Leases,
        store: AsyncStore,
        single_flight: SingleFlight,
        clock: Callable[[], float],
        limit: float,
    ) -> None:
        """Ask with `client`; `clock` returns seconds since the epoch."""
        self._client = client
        self._store = store
        self._single_flight = single_flight
        self._clock = clock
        self.limit = limit
        single_flight.on_begin = self._watch
        self._committing: dict[LeaseName, FlightLease] = {}
        """By name, the leases that this worker holds only until what it has stored is on the disk."""

    def _watch(self, flight: Flight) -> None:
        """Let a flight that begins notice when another process invalidates its key."""
        key, generations = flight.key, self._store.generations
        removals, generation = generations.removal_version(), generations.generation(key)
        flight.changed_elsewhere = lambda: (
            removals != generations.removal_version() and generation != generations.generation(key)
        )

    def take_part(self, sent: UpstreamRequest, key: str, audience: int) -> bool:
        """Return whether to ask for a lease before a collapsible request is sent."""
        if not self._client.is_ready or sent.detail is Detail.RESPONSE_NO_CACHE:  # each is validated for itself
            return False
        return not self._single_flight.is_hit_for_pass(key, self._clock(), audience)

    async def is_stored(
        self, flight: Flight, request: Request, sent: UpstreamRequest, is_unchanged: Callable[[], bool]
    ) -> bool:
        """Ask for the lease of a flight. Return whether another worker has stored a response meanwhile.

        `is_unchanged` returns whether the store has the same as when it was asked.
        """
        if not self.take_part(sent, flight.key, flight.audience):
            return False
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answer(is_stored: bool) -> None:
            if not answered.done():
                answered.set_result(is_stored)

        self.ask(flight, request, sent, is_unchanged, answer)
        return await answered

    def ask(
        self,
        flight: Flight,
        request: Request,
        sent: UpstreamRequest,
        is_unchanged: Callable[[], bool],
        answered: Answered,
    ) -> None:
        """Ask for the lease of a flight, if it is to `take_part`. `answered` is called later.

        `is_unchanged` returns whether the store has the same as when it was asked: another worker may have stored a
        response in between.
        """

        def decide(answer: Answer, seconds: int) -> None:
            flight.since = self._single_flight.now()
            if seconds:  # requests that wait in this worker need not wait either
                self._single_flight.mark_hit_for_pass(flight, self._clock(), seconds)
                flight.end(FlightResult.NOT_SHARED)
            answered(answer is Answer.STORED or (answer is Answer.GRANTED and not is_unchanged()))

        name = lease_name(flight, request, sent)
        held = self._committing.get(name)
        if held is None:
            flight.since = math.inf
            lease: AskedLease | None = self._client.ask(name, self.limit, decide)
        else:  # this worker sees what it has stored, and need not wait for the disk
            lease = held.hand_over()
            asyncio.get_running_loop().call_soon(answered, False)
        if lease is not None:
            flight.lease = FlightLease(lease, name, self._store, self._committing)


class FlightLease:
    """The lease of one flight. It ends with the flight, but not before other workers can see what was stored."""

    __slots__ = ("_committing", "_lease", "_name", "_store")

    def __init__(
        self, lease: AskedLease, name: LeaseName, store: AsyncStore, committing: dict[LeaseName, FlightLease]
    ) -> None:
        """Hold `lease`, and be in `committing` by its name while only the disk is waited for."""
        self._lease: AskedLease | None = lease
        self._name = name
        self._store = store
        self._committing = committing

    def end(self, result: FlightResult, seconds: float) -> None:
        """End the lease as the flight has ended; other workers need not wait for so many seconds."""
        lease = self._lease
        if lease is None:
            return
        if result is FlightResult.STORED and self._store.call_when_committed(self._name.key, self._committed):
            self._committing[self._name] = self
            lease.on_wanted = self._store.commit_soon
            if lease.is_wanted:
                self._store.commit_soon()
            return
        self._lease = None
        lease.end(Result.STORED if result is FlightResult.STORED else _RESULTS[result], seconds)

    def _committed(self) -> None:
        if self._lease is not None:
            self._committing.pop(self._name, None)
            self._lease.end(Result.STORED)

    def hand_over(self) -> AskedLease | None:
        """Return the lease, which does not end with this flight any more; None if another worker waits for that."""
        lease = self._lease
        if lease is None or lease.is_wanted:
            return None
        self._lease = lease.on_wanted = None
        del self._committing[self._name]
        return lease


def lease_name(flight: Flight, request: Request, sent: UpstreamRequest) -> LeaseName:
    """Return the name of the lease for a flight."""
    waiting = who_may_wait(request, sent.fwd, sent.variant) if flight.audience != ANYONE else ()
    text = repr((flight.key, *waiting)) if waiting else flight.key
    return LeaseName(flight.key, blake2b(text.encode("utf-8", "surrogatepass"), digest_size=NAME_SIZE).digest())
