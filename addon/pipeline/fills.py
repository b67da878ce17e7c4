"""All fills: origin responses that are being stored as they come."""

from __future__ import annotations

from dataclasses import replace

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.fill import Fill
from addon.pipeline.fill_writer import FillWriter
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.not_stored_log import NotStoredLog
from addon.pipeline.origin import FetchedResponse
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import ReplyBuilder
from addon.pipeline.single_flight import SingleFlight
from addon.pipeline.size_limit import SizeLimit
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.counters import Counters
from cache import engine
from cache.engine.decisions import Serve, Store, UpstreamRequest
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored
from cache.rules.vary import matches


class Fills:
    """Stores origin responses while they are passed on, and lets other requests join them."""

    def __init__(
        self,
        *,
        store: AsyncStore,
        single_flight: SingleFlight,
        reply_builder: ReplyBuilder,
        counters: Counters,
        not_stored: NotStoredLog,
        size_limit: SizeLimit,
    ) -> None:
        self._store = store
        self._single_flight = single_flight
        self._reply_builder = reply_builder
        self._counters = counters
        self._not_stored = not_stored
        self._size_limit = size_limit
        self._fills: dict[Flight, Fill] = {}
        self._tasks = BackgroundTasks()

    def __contains__(self, flight: Flight) -> bool:
        """Return whether the response to a flight is being stored as it comes."""
        return flight in self._fills

    def __len__(self) -> int:
        """Return how many responses are being stored."""
        return len(self._fills)

    async def store(self, request: Request, outcome: Store, response: FetchedResponse, flight: Flight) -> Reply:
        """Return a reply that passes a response on; it is stored already, or stored as it comes."""
        whole = response.whole
        if not outcome.response.has_content:
            await self._reply_builder.drain(request, outcome.response.head.status, response)
            await response.close()
            whole = b""
        if whole is None or not await self._size_limit.allows(len(whole)) or response.trailers.lines:
            return await self._store_streamed(request, outcome, response, flight)
        # stored before the client has it, since the client may ask again at once
        reason = await self._store.keep(outcome.entry, whole, outcome.replaces, flight=flight, secrets=outcome.secrets)
        if reason:
            self._not_stored.gave_up(outcome.entry, outcome.handling, reason, "at the end")
            flight.end(FlightResult.NOT_SHARED)
            return self._reply_builder.relayed_whole(request, engine.without_storing(outcome, reason), whole)
        flight.end(FlightResult.STORED)
        return self._reply_builder.relayed_whole(request, outcome, whole)

    async def _store_streamed(
        self, request: Request, outcome: Store, response: FetchedResponse, flight: Flight
    ) -> Reply:
        writer = await self._store.writer(outcome.secrets)
        if writer is None:
            flight.end(FlightResult.NOT_SHARED)
            self._not_stored.gave_up(outcome.entry, outcome.handling, NotStored.STORE_FAILED, "at the beginning")
            relay = engine.without_storing(outcome, NotStored.STORE_FAILED)
            return await self._reply_builder.relay(request, relay, response)
        fill_writer = FillWriter(
            outcome=outcome,
            writer=writer,
            flight=flight,
            store=self._store,
            not_stored=self._not_stored,
            size_limit=self._size_limit,
        )
        fill = Fill(response, outcome, fill_writer, flight, counters=self._counters, host=request.authority)
        stream = fill.stream(trailers=True)
        self._fills[flight] = fill
        flight.end(FlightResult.ARRIVING)
        if not fill.may_be_joined:
            flight.end_lease()
        self._tasks.begin(self._run(fill))
        return Reply(outcome.response.head, stream, outcome.handling)

    async def _run(self, fill: Fill) -> None:
        try:
            await fill.run()
        finally:
            del self._fills[fill.flight]
            self._single_flight.finish(fill.flight)
            await fill.release()

    def join(
        self, request: Request, sent: UpstreamRequest, leader: Flight, policy: CachePolicy, now: float
    ) -> Reply | None:
        """Return a reply to a waiting request from the fill of another one, or None if the fill does not suit it."""
        fill = self._fills.get(leader)
        if fill is None or not fill.may_be_joined:
            return None
        entry = replace(fill.entry, length=fill.length or 0, invalid=leader.invalidated)
        if not matches(entry, request, policy):
            return None
        serve = engine.on_request(request, (entry,), policy, now, waited_as=sent.fwd)
        return self._reply_builder.joined(request, serve, fill) if isinstance(serve, Serve) else None

    async def settled(self) -> None:
        """Wait until all fills that are under way now have ended."""
        await self._tasks.settled()

    async def close(self) -> None:
        """Stop all fills."""
        await self._tasks.close()
