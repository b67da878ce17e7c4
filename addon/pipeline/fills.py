"""Everything that is on its way from origins into the store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace

from addon.origin import OriginAnswer
from addon.pipeline.async_store import StoredResponses
from addon.pipeline.fill import Arrival
from addon.pipeline.fill_writer import Storing
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import Replies
from addon.pipeline.single_flight import Ending, Flight, Flights
from addon.runtime.counters import Statistics
from cache import engine
from cache.engine.decisions import Change, Relay, Sent, Serve, Store
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored
from cache.rules.key import matches

MAX_HELD = 1024
"""Responses held in memory elsewhere that may still come to be kept."""


class Arrivals:
    """Answers that are being stored."""

    def __init__(
        self, stored: StoredResponses, flights: Flights, replies: Replies, statistics: Statistics, max_object: int
    ) -> None:
        self._stored = stored
        self._flights = flights
        self._replies = replies
        self._statistics = statistics
        self._max_object = max_object
        self._arriving: dict[Flight, Arrival] = {}
        self._taking_in: set[asyncio.Task[None]] = set()
        self._held: OrderedDict[str, tuple[Flight, tuple[Change, ...]]] = OrderedDict()

    def __contains__(self, flight: Flight) -> bool:
        """Tell whether what a flight brings is being stored as it comes."""
        return flight in self._arriving

    async def store(self, request: Request, outcome: Store, arriving: OriginAnswer, flight: Flight) -> Reply:
        """Return a reply that passes an answer on, which is stored, or being stored as it comes."""
        whole = arriving.whole
        if not outcome.answer.has_content:
            await self._replies.drain(request, outcome.answer.head.status, arriving)
            await arriving.close()
            whole = b""
        if whole is None or len(whole) > self._max_object or arriving.trailers.lines:
            return await self._store_arriving(request, outcome, arriving, flight)
        # before the client has it, which may ask again at once
        if reason := await self._stored.keep(outcome.entry, whole, outcome.replaces, flight, outcome.secrets):
            self._replies.not_stored(request, reason)
        flight.end(Ending.NOT_SHARED if reason else Ending.STORED)
        return self._replies.relayed_whole(request, outcome, whole)

    async def _store_arriving(self, request: Request, outcome: Store, arriving: OriginAnswer, flight: Flight) -> Reply:
        writer = await self._stored.writer(outcome.secrets)
        if writer is None:
            flight.end(Ending.NOT_SHARED)
            unstored = replace(outcome.handling, stored=False)
            return await self._replies.relay(request, Relay(outcome.answer, NotStored.STORE_FAILED, unstored), arriving)
        storing = Storing(outcome, writer, flight, self._stored, self._statistics, self._max_object)
        arrival = Arrival(arriving, outcome, storing, flight, self._statistics)
        stream = arrival.stream(trailers=True)
        self._arriving[flight] = arrival
        flight.end(Ending.ARRIVING)
        task = asyncio.get_running_loop().create_task(self._take_in(arrival))
        self._taking_in.add(task)
        task.add_done_callback(self._taking_in.discard)
        self._replies.count(request, outcome.handling, outcome.answer.exemption)
        return Reply(outcome.answer.head, stream, outcome.handling)

    async def _take_in(self, arrival: Arrival) -> None:
        try:
            await arrival.run()
        finally:
            del self._arriving[arrival.flight]
            self._flights.finish(arrival.flight)
            await arrival.release()

    def join(self, request: Request, sent: Sent, leader: Flight, policy: CachePolicy, now: float) -> Reply | None:
        """Return the reply that an answer which is arriving for another request gives to this one, if it may."""
        arrival = self._arriving.get(leader)
        if arrival is None or not arrival.may_be_joined:
            return None
        entry = replace(arrival.entry, length=arrival.length or 0, invalid=leader.outdated)
        if not matches(entry, request, policy):
            return None
        serve = engine.on_request(request, (entry,), policy, now, waited_as=sent.fwd)
        return self._replies.joined(request, serve, arrival) if isinstance(serve, Serve) else None

    async def keep(self, outcome: Store, content: bytes) -> None:
        """Store a response that `judged` found storable and whose content is whole by now."""
        flight, _ = self._held.pop(outcome.entry.id, (None, ()))
        if reason := await self._stored.keep(outcome.entry, content, outcome.replaces, flight, outcome.secrets):
            self._statistics.count(f"not_stored.{reason}")
        if flight:
            self._flights.finish(flight)

    def hold(self, outcome: Store) -> None:
        """Notice what happens to a key until `keep`, which may never be called."""
        self._held[outcome.entry.id] = self._flights.begin(outcome.entry.key, leads=False), outcome.changes
        if len(self._held) > MAX_HELD:
            _, (flight, _) = self._held.popitem(last=False)
            self._flights.finish(flight)

    def holder(self, changes: tuple[Change, ...]) -> Flight | None:
        """Return the flight whose answer, held elsewhere, brought these changes."""
        return next((flight for flight, brought in reversed(self._held.values()) if brought is changes), None)

    async def settled(self) -> None:
        """Wait until what is arriving is stored."""
        if self._taking_in:
            await asyncio.wait(self._taking_in)

    async def close(self) -> None:
        """Stop storing what is still on its way."""
        for task in self._taking_in:
            task.cancel()
        await asyncio.gather(*self._taking_in, return_exceptions=True)
