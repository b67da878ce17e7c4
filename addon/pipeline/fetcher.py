"""Asks the origin, and makes a reply of what its response leads to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from weakref import WeakSet

from addon.origin import OriginClient, OriginFailure
from addon.origin.exchange_times import ExchangeTimes
from addon.origin.reachability import Reachability
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.compression import Compression
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.fills import Fills
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.leased_flights import LeasedFlights
from addon.pipeline.not_stored_log import NotStoredLog
from addon.pipeline.origin import FetchedResponse, Origin
from addon.pipeline.outcomes import Outcomes
from addon.pipeline.range_fill import RangeFill
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import ReplyBuilder
from addon.pipeline.request_context import NO_CONTEXT, RequestContext
from addon.pipeline.single_flight import SingleFlight, audience_of
from addon.pipeline.size_limit import SizeLimit
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.counters import Counters
from addon.runtime.host_counters import host_counter
from cache import engine
from cache.engine.decisions import (
    Complete,
    Freshen,
    Invalidate,
    Outcome,
    Refuse,
    Relay,
    Retry,
    Serve,
    Store,
    UpstreamRequest,
    Validate,
)
from cache.http.messages import Received, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, NotStored
from cache.rules.invalidation import keys_in_doubt
from cache.rules.key import primary_key
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
"""Exchanges without a usable result (a 304 that matches no copy, a damaged copy) before a request is given up."""


class Fetcher:
    """Fetches by one policy, with one store and one client towards origins.

    Attributes:
        policy: The policy in force in this pipeline. This is its only place; it is replaced as a whole.
        size_limit: The size of the largest content that is stored.
        leases: Single-flight with the other processes on the store, if there are any.
        not_stored: The latest responses that were not stored.
    """

    def __init__(
        self,
        *,
        store: AsyncStore,
        origin: Origin,
        policy: CachePolicy,
        clock: Callable[[], float],
        counters: Counters,
        size_limit: SizeLimit,
        reachability: Reachability,
    ) -> None:
        self.policy = policy  # changed by `use_policy` only
        self.store = store
        self.origin = origin  # changed by `use_origin` only
        self.clock = clock
        self.size_limit = size_limit
        self.single_flight = SingleFlight(
            lambda: store.generations.last_purge(), lambda key, number: store.generations.may_concern(key, number)
        )
        self.leases: LeasedFlights | None = None
        self.reachability = reachability
        self.not_stored = NotStoredLog(clock, counters)
        self.outcomes = Outcomes(
            store=store,
            single_flight=self.single_flight,
            clock=clock,
            counters=counters,
            not_stored=self.not_stored,
            size_limit=size_limit,
        )
        self.reply_builder = ReplyBuilder(store, counters)
        self.errors = ErrorReplies(lambda: self.policy, clock, counters)
        self.fills = Fills(
            store=store,
            single_flight=self.single_flight,
            reply_builder=self.reply_builder,
            counters=counters,
            not_stored=self.not_stored,
            size_limit=size_limit,
        )
        self.compression = Compression(store, lambda: self.policy, self.outcomes.entry_ids, counters)
        self._counters = counters
        self._range_fill = RangeFill(store, counters)
        self._background = BackgroundTasks()
        self._former_origins: WeakSet[Origin] = WeakSet()

    def use_policy(self, policy: CachePolicy) -> None:
        """Use another policy from the next request on."""
        self.policy = policy

    def use_origin(self, origin: Origin) -> None:
        """Use another client from the next request on. Connections of the old one end when they are idle."""
        self._former_origins.add(self.origin)
        self.origin = origin

    @property
    def client(self) -> OriginClient:
        """Our own client, whose connections the front end uses. Raises TypeError if origins are reached otherwise."""
        if not isinstance(self.origin, OriginClient):
            raise TypeError(f"origins are reached by {type(self.origin).__name__}")
        return self.origin

    async def fetch(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext = NO_CONTEXT,
        *,
        key: str = "",
    ) -> Reply:
        """Return the reply that asking the origin leads to. No other request waits for it.

        Args:
            request: The client's request.
            sent: The request to send to the origin for it.
            context: The request's content, and the client's interest in interim responses.
            key: The primary key, if it is known already.
        """
        flight = self.begin(request, sent, key or primary_key(request), leads=False)
        return await self.finish(request, sent, context, flight)

    def begin(self, request: Request, sent: UpstreamRequest, key: str, *, leads: bool) -> Flight:
        """Return a new flight that this task fetches; other requests may wait for it if it `leads`."""
        audience = audience_of(request, sent.fwd, sent.variant)
        flight = self.single_flight.begin(key, leads=leads, audience=audience)
        flight.leader = asyncio.current_task()
        return flight

    async def finish(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext,
        flight: Flight,
        pending: Awaitable[FetchedResponse] | None = None,
        sent_at: float | None = None,
    ) -> Reply:
        """Return the reply as `fetch` does, for a flight that has begun.

        `pending` is its first response, to a request sent at `sent_at`, in seconds since the epoch.
        """
        if context.not_storable:
            sent = self._apart_from_store(request, sent, context.not_storable)
        try:
            for _ in range(MAX_ATTEMPTS):
                began = self.clock() if pending is None or sent_at is None else sent_at
                result = await self._attempt(request, sent, context, flight, pending, began=began)
                pending = None
                if isinstance(result, Reply):
                    return result
                sent = result
        except asyncio.CancelledError:
            flight.end(FlightResult.ASK_ANEW)
            self._invalidate_in_background(request)
            raise
        finally:
            if flight not in self.fills:
                self.single_flight.finish(flight)
        self.count_refused(request)
        return self.errors.gave_up(
            f"{MAX_ATTEMPTS} exchanges with the origin for {request.uri} gave no usable response."
        )

    def count_refused(self, request: Request) -> None:
        """Count a request for its host that gets an error of this proxy's own."""
        self._counters.count(host_counter(request.authority, "requests"))

    def _apart_from_store(self, request: Request, sent: UpstreamRequest, reason: NotStored) -> UpstreamRequest:
        """Return the upstream request as if nothing was stored; its response is not stored either, for this reason."""
        anew = engine.on_request(request, (), self.policy.leaving_none_alone(), self.clock())
        return replace(anew if isinstance(anew, UpstreamRequest) else sent, not_storable=reason)

    async def _attempt(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext,
        flight: Flight,
        pending: Awaitable[FetchedResponse] | None,
        *,
        began: float,
    ) -> Reply | UpstreamRequest:
        """Ask the origin once. Return the reply, or the request to send next."""
        try:
            response = await self._ask(sent, context, pending)
        except OriginFailure as failure:
            self._note_failure(request, failure, began)
            flight.fail(failure)
            from_failure = self._judge_failure(request, sent, failure)
            times = ExchangeTimes(whole=max(0.0, self.clock() - began), connect=None)
            return _timed(await self._reply_without_origin(request, sent, from_failure, flight), times)
        except ValueError as error:
            return self.errors.malformed_request(str(error))
        if response.read_leniently:
            detail = sent.detail or Detail.LENIENT_ORIGIN
            sent = replace(sent, not_storable=NotStored.LENIENT_ORIGIN, detail=detail)
        if context.digest is not None:
            sent = replace(sent, request=replace(sent.request, content_digest=context.digest.value))
        return _timed(await self._reply_to(request, sent, context, flight, response), response.times)

    async def _reply_to(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext,
        flight: Flight,
        response: FetchedResponse,
    ) -> Reply | UpstreamRequest:
        """Return the reply that an origin's response leads to, or the request to send next."""
        outcome = await self._judge(request, sent, response, flight)
        match outcome:
            case Store():
                return await self.fills.store(request, outcome, response, flight)
            case Relay():
                return await self.reply_builder.relay(request, outcome, response)
            case Complete():
                from_parts = partial(engine.response_from_parts, request, sent, policy=self.policy, now=self.clock())
                whole = await self._range_fill.fill(outcome, response, flight, from_parts)
                if whole is None:
                    return engine.without_copies(sent)
                return await self._reply_without_origin(request, sent, whole, flight)
            case Retry():
                await response.close()
                await self.outcomes.carry_out(request, outcome, flight)
                if context.content is not None:
                    self.count_refused(request)
                    return self.errors.gave_up(f"{request.uri} cannot be sent twice.")
                return outcome.upstream_request
            case Freshen() | Serve() | Refuse():
                await response.close()
                return await self._reply_without_origin(request, sent, outcome, flight)

    async def _judge(
        self, request: Request, sent: UpstreamRequest, response: FetchedResponse, flight: Flight
    ) -> Outcome:
        """Return the decision about a response. If it is to be passed on, do all that follows from it but that.

        If the task is cancelled, the response is closed.
        """
        received = Received(response.head, response.request_time, response.response_time)
        try:
            outcome = await self.outcomes.judge(request, sent, received, self.policy)
            if isinstance(outcome, Store | Relay):
                await self.outcomes.carry_out(request, outcome, flight)
        except asyncio.CancelledError:
            response.abandon()  # nothing else reads it yet
            raise
        return outcome

    async def _ask(
        self, sent: UpstreamRequest, context: RequestContext, pending: Awaitable[FetchedResponse] | None
    ) -> FetchedResponse:
        self._counters.count("origin.fetches")
        if isinstance(sent, Validate):
            self._counters.count("origin.validations")
        asked = context.fetch(sent) if context.fetch and pending is None else pending
        response = await (
            asked
            or self.origin.fetch(
                sent.request,
                interim=context.forwarding,
                content=context.content,
                named_host=sent.detail is Detail.HOST_MISMATCH,
                connected=partial(self.reachability.connected, sent.request),
            )
        )
        self.note_response(sent.request)
        return response

    def note_response(self, request: Request) -> None:
        """Note that the origin of a request has sent a response."""
        if self.reachability.reached(request):
            # fetches from before the outage may hang
            self.single_flight.stop_leading(lambda key: key.startswith(f"{request.origin}/"))

    def _note_failure(self, request: Request, failure: OriginFailure, began: float) -> None:
        self._counters.count_each((f"failures.{failure.kind}", host_counter(request.authority, "failures")))
        logger.info("%s: %s", request.uri, failure.detail)
        self.reachability.failed(request, failure, began)

    async def reply_to_failure(
        self, request: Request, sent: UpstreamRequest, failure: OriginFailure, key: str
    ) -> Reply:
        """Return the reply to a request that has waited for the fetch of another one, which has failed."""
        flight = self.begin(request, sent, key, leads=False)
        try:
            outcome = self._judge_failure(request, sent, failure)
            reply = await self._reply_without_origin(request, sent, outcome, flight)
        finally:
            self.single_flight.finish(flight)
        return reply if isinstance(reply, Reply) else await self.fetch(request, reply, key=key)

    def _judge_failure(self, request: Request, sent: UpstreamRequest, failure: OriginFailure) -> Serve | Refuse:
        return engine.on_failure(
            request,
            sent,
            self.policy,
            self.clock(),
            error=failure.kind,
            sentence=failure.detail,
            disconnected=failure.disconnected,
            parameters=failure.parameters,
        )

    async def _reply_without_origin(
        self, request: Request, sent: UpstreamRequest, outcome: Freshen | Serve | Refuse, flight: Flight
    ) -> Reply | UpstreamRequest:
        """Return the reply that needs nothing more of the origin, or the same request without damaged copies."""
        if isinstance(outcome, Refuse):
            await self.outcomes.carry_out(request, outcome, flight)
            self.count_refused(request)
            return self.errors.refuse(outcome)
        try:
            reply = await self.reply_builder.copy(request, outcome)
        except StoreError:
            return engine.without_copies(sent)
        # after the copy is open, since the change may be its deletion
        await self.outcomes.carry_out(request, outcome, flight)
        if isinstance(outcome, Freshen):
            self.single_flight.clear_hit_for_pass(flight)
            flight.end(FlightResult.STORED)
        return reply

    def _invalidate_in_background(self, request: Request) -> None:
        """Invalidate the stored responses that a request may have changed, if its client left (ledger INVAL-07)."""
        if keys := keys_in_doubt(request):
            self._background.begin(self.outcomes.apply(tuple(map(Invalidate, keys))))

    async def close(self) -> None:
        """Stop storing what is still on its way, and close the connections to origins."""
        await self.fills.close()
        await self.compression.close()
        await self._background.settled()
        for origin in [self.origin, *self._former_origins]:
            await origin.close()


def _timed(reply: Reply | UpstreamRequest, times: ExchangeTimes) -> Reply | UpstreamRequest:
    """Return a reply that tells how long the origin took; anything else as it is."""
    return replace(reply, upstream=times) if isinstance(reply, Reply) else reply
