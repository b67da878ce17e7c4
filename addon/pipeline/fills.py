"""Everything that is on its way from origins into the store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace

from addon.origin import OriginAnswer
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.fill import Fill
from addon.pipeline.fill_writer import FillWriter
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import ReplyBuilder
from addon.pipeline.single_flight import Flight, FlightResult, SingleFlight
from addon.runtime.counters import Counters
from cache import engine
from cache.engine.decisions import Change, Relay, Serve, Store, UpstreamRequest
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored
from cache.rules.vary import matches

MAX_HELD = 1024
"""Responses held in memory elsewhere that may still come to be kept."""


class Fills:
    """Answers that are being stored."""

    def __init__(
        self,
        stored: AsyncStore,
        single_flight: SingleFlight,
        reply_builder: ReplyBuilder,
        counters: Counters,
        max_object: int,
    ) -> None:
        self._stored = stored
        self._single_flight = single_flight
        self._reply_builder = reply_builder
        self._counters = counters
        self._max_object = max_object
        self._fills: dict[Flight, Fill] = {}
        self._taking_in: set[asyncio.Task[None]] = set()
        self._held: OrderedDict[str, tuple[Flight, tuple[Change, ...]]] = OrderedDict()

    def __contains__(self, flight: Flight) -> bool:
        """Tell whether what a flight brings is being stored as it comes."""
        return flight in self._fills

    async def store(self, request: Request, outcome: Store, answer: OriginAnswer, flight: Flight) -> Reply:
        """Return a reply that passes an answer on, which is stored, or being stored as it comes."""
        whole = answer.whole
        if not outcome.answer.has_content:
            await self._reply_builder.drain(request, outcome.answer.head.status, answer)
            await answer.close()
            whole = b""
        if whole is None or len(whole) > self._max_object or answer.trailers.lines:
            return await self._store_streamed(request, outcome, answer, flight)
        # before the client has it, which may ask again at once
        if reason := await self._stored.keep(outcome.entry, whole, outcome.replaces, flight, outcome.secrets):
            self._reply_builder.not_stored(request, reason)
        flight.end(FlightResult.NOT_SHARED if reason else FlightResult.STORED)
        return self._reply_builder.relayed_whole(request, outcome, whole)

    async def _store_streamed(self, request: Request, outcome: Store, answer: OriginAnswer, flight: Flight) -> Reply:
        writer = await self._stored.writer(outcome.secrets)
        if writer is None:
            flight.end(FlightResult.NOT_SHARED)
            unstored = replace(outcome.handling, stored=False)
            return await self._reply_builder.relay(
                request, Relay(outcome.answer, NotStored.STORE_FAILED, unstored), answer
            )
        storing = FillWriter(outcome, writer, flight, self._stored, self._counters, self._max_object)
        fill = Fill(answer, outcome, storing, flight, self._counters)
        stream = fill.stream(trailers=True)
        self._fills[flight] = fill
        flight.end(FlightResult.ARRIVING)
        task = asyncio.get_running_loop().create_task(self._take_in(fill))
        self._taking_in.add(task)
        task.add_done_callback(self._taking_in.discard)
        self._reply_builder.count(request, outcome.handling, outcome.answer.exemption)
        return Reply(outcome.answer.head, stream, outcome.handling)

    async def _take_in(self, fill: Fill) -> None:
        try:
            await fill.run()
        finally:
            del self._fills[fill.flight]
            self._single_flight.finish(fill.flight)
            await fill.release()

    def join(
        self, request: Request, sent: UpstreamRequest, leader: Flight, policy: CachePolicy, now: float
    ) -> Reply | None:
        """Return the reply that an answer which is arriving for another request gives to this one, if it may."""
        fill = self._fills.get(leader)
        if fill is None or not fill.may_be_joined:
            return None
        entry = replace(fill.entry, length=fill.length or 0, invalid=leader.invalidated)
        if not matches(entry, request, policy):
            return None
        serve = engine.on_request(request, (entry,), policy, now, waited_as=sent.fwd)
        return self._reply_builder.joined(request, serve, fill) if isinstance(serve, Serve) else None

    async def keep(self, outcome: Store, content: bytes) -> None:
        """Store a response that `judged` found storable and whose content is whole by now."""
        flight, _ = self._held.pop(outcome.entry.id, (None, ()))
        if reason := await self._stored.keep(outcome.entry, content, outcome.replaces, flight, outcome.secrets):
            self._counters.count(f"not_stored.{reason}")
        if flight:
            self._single_flight.finish(flight)

    def hold(self, outcome: Store) -> None:
        """Notice what happens to a key until `keep`, which may never be called."""
        self._held[outcome.entry.id] = self._single_flight.begin(outcome.entry.key, leads=False), outcome.changes
        if len(self._held) > MAX_HELD:
            _, (flight, _) = self._held.popitem(last=False)
            self._single_flight.finish(flight)

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
