"""Asks the origin, and obeys what the engine makes of its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from addon.origin import OriginAnswer, OriginClient, OriginFailure
from addon.origin.reachability import Reachability
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.entry_ids import entry_ids
from addon.pipeline.fill_writer import declared_length
from addon.pipeline.fills import Fills
from addon.pipeline.range_fill import RangeFill
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import ReplyBuilder
from addon.pipeline.request_context import NO_CONTEXT, RequestContext
from addon.pipeline.single_flight import Flight, FlightResult, SingleFlight
from addon.runtime.counters import Counters
from cache import engine
from cache.answer.compose import error_response
from cache.engine.decisions import (
    Change,
    Complete,
    Freshen,
    Invalidate,
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
from cache.policy.reasons import Detail, NotStored, Refused
from cache.rules.invalidation import keys_in_doubt
from cache.rules.key import primary_key
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
"""Exchanges that may come to nothing (a 304 that fits nobody, a damaged copy) before a request is given up."""


class Fetcher:
    """One policy, one store, one way to the origins."""

    def __init__(
        self,
        stored: AsyncStore,
        origin: OriginClient,
        policy: CachePolicy,
        clock: Callable[[], float],
        counters: Counters,
        max_object: int,
    ) -> None:
        self.stored = stored
        self.policy = policy
        self.clock = clock
        self.single_flight = SingleFlight()
        self.reachability: Reachability | None = None
        self.reply_builder = ReplyBuilder(stored, counters)
        self.origin = origin
        self._counters = counters
        self._max_object = max_object
        self._entry_ids = entry_ids()
        self._range_fill = RangeFill(stored, counters)
        self.fills = Fills(stored, self.single_flight, self.reply_builder, counters, max_object)
        self._background: set[asyncio.Task[None]] = set()

    async def fetch(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext = NO_CONTEXT,
        *,
        key: str = "",
        leads: bool = False,
    ) -> Reply:
        """Return the reply that asking the origin leads to.

        Args:
            request: The client's.
            sent: What is to be sent forward for it.
            context: What goes along with it.
            key: The primary key, where that is known already.
            leads: Requests for the same key may wait for the answer.
        """
        return await self.go_on(
            request, sent, context, self.single_flight.begin(key or primary_key(request), leads=leads)
        )

    async def go_on(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext,
        flight: Flight,
        asked: Awaitable[OriginAnswer] | None = None,
    ) -> Reply:
        """Return the reply that asking the origin leads to, where `asked` is what was asked already, if anything."""
        try:
            for _ in range(MAX_ATTEMPTS):
                result = await self._attempt(request, sent, context, flight, asked)
                asked = None
                if isinstance(result, Reply):
                    return result
                sent = result
        except asyncio.CancelledError:
            flight.end(FlightResult.ASK_ANEW)
            self._doubt(request)
            raise
        finally:
            if flight not in self.fills:
                self.single_flight.finish(flight)
        return self._gave_up(f"{request.uri} came to nothing {MAX_ATTEMPTS} times.")

    async def _attempt(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext,
        flight: Flight,
        asked: Awaitable[OriginAnswer] | None,
    ) -> Reply | UpstreamRequest:
        """Ask once. Return the reply, or what is to be asked instead."""
        try:
            answer = await self._ask(sent, context, asked)
        except OriginFailure as failure:
            return await self._without_origin(request, sent, self._failed(request, sent, failure), flight)
        except ValueError as error:
            return self.malformed(str(error))
        received = Received(answer.head, answer.request_time, answer.response_time)
        outcome = self.judged(request, sent, received)
        match outcome:
            case Store():
                await self.apply(outcome.changes, flight)
                self.single_flight.clear_hit_for_pass(flight.key)
                return await self.fills.store(request, outcome, answer, flight)
            case Complete():
                joined = partial(engine.completed, request, sent, policy=self.policy, now=self.clock())
                whole = await self._range_fill.answer(outcome, answer, flight, joined)
                if whole is None:
                    return engine.without_copies(sent)
                return await self._without_origin(request, sent, whole, flight)
            case Relay():
                self._not_shared(flight, outcome.not_stored, received.response_time)
                await self.apply(outcome.changes, flight)
                return await self.reply_builder.relay(request, outcome, answer)
            case Retry():
                await answer.close()
                await self.apply(outcome.changes, flight)
                if context.content is not None:
                    return self._gave_up(f"{request.uri} cannot be sent twice.")
                return outcome.upstream_request
            case Freshen() | Serve() | Refuse():
                await answer.close()
                return await self._without_origin(request, sent, outcome, flight)

    def _doubt(self, request: Request) -> None:
        """Doubt what a request may have changed whose client left before the answer (ledger INVAL-07)."""
        if keys := keys_in_doubt(request):
            task = asyncio.get_running_loop().create_task(self.apply(tuple(map(Invalidate, keys))))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    def _not_shared(self, flight: Flight, reason: NotStored | None, now: float) -> None:
        """Let everybody go who waits for what only one request may have."""
        flight.end(FlightResult.NOT_SHARED)
        if reason is not None:
            self.single_flight.mark_hit_for_pass(flight.key, now)

    async def _ask(
        self, sent: UpstreamRequest, context: RequestContext, asked: Awaitable[OriginAnswer] | None
    ) -> OriginAnswer:
        self._counters.count("origin.fetches")
        if isinstance(sent, Validate):
            self._counters.count("origin.validations")
        answer = await (
            asked
            or self.origin.fetch(
                sent.request,
                interim=context.forwarding,
                content=context.content,
                named_host=sent.detail is Detail.HOST_MISMATCH,
            )
        )
        if self.reachability:
            self.reachability.reached(sent.request.host)
        return answer

    def _failed(self, request: Request, sent: UpstreamRequest, failure: OriginFailure) -> Serve | Refuse:
        self._counters.count(f"failures.{failure.kind}")
        logger.info("%s: %s", request.uri, failure.detail)
        if self.reachability:
            self.reachability.failed(request, failure)
        return engine.on_failure(
            request,
            sent,
            self.policy,
            self.clock(),
            error=failure.kind,
            sentence=failure.detail,
            disconnected=failure.disconnected,
        )

    def judged(
        self, request: Request, sent: UpstreamRequest, received: Received, held: int | None = None
    ) -> Store | Complete | Freshen | Relay | Serve | Retry | Refuse:
        """Return what the engine makes of an answer.

        Args:
            request: The client's.
            sent: What was sent forward for it.
            received: The answer's head.
            held: Where the content must be held in memory to be stored, how many octets of it at most.
        """
        length = declared_length(received.head)
        unbounded = held is not None and (length is None or length > held)
        if sent.not_storable is None and (unbounded or (length or 0) > self._max_object):
            sent = replace(sent, not_storable=NotStored.TOO_LARGE)
        outcome = engine.on_response(request, sent, received, self.policy, next(self._entry_ids))
        if held is not None and isinstance(outcome, Store):
            self.fills.hold(outcome)
        return outcome

    async def _without_origin(
        self, request: Request, sent: UpstreamRequest, outcome: Freshen | Serve | Refuse, flight: Flight
    ) -> Reply | UpstreamRequest:
        """Return the reply that needs nothing more of the origin, or the same question without damaged copies."""
        if isinstance(outcome, Refuse):
            await self.apply(outcome.changes, flight)
            return self.reply_builder.refuse(outcome)
        try:
            reply = await self.reply_builder.copy(request, outcome)
        except StoreError:
            return engine.without_copies(sent)
        # only now that the copy is open: the change may be its deletion
        await self.apply(outcome.changes, flight)
        if isinstance(outcome, Freshen):
            flight.end(FlightResult.STORED)
        return reply

    def _error(self, status: int, reason: Refused, sentence: str, error: str) -> Reply:
        return self.reply_builder.refuse(
            Refuse(error_response(status, reason, sentence, self.policy, self.clock(), error=error), reason)
        )

    def _gave_up(self, sentence: str) -> Reply:
        return self._error(502, Refused.GAVE_UP, sentence, "http_protocol_error")

    def malformed(self, sentence: str, status: int = 400) -> Reply:
        """Return the error that stands for a request which nobody should believe."""
        return self._error(status, Refused.MALFORMED_REQUEST, sentence, "http_request_error")

    def failed(self, failure: OriginFailure) -> Reply:
        """Return the error that stands for an answer which broke off before anything of it was sent."""
        return self._error(engine.status_of_failure(failure.kind), Refused.FETCH_FAILED, failure.detail, failure.kind)

    async def apply(self, changes: tuple[Change, ...], flight: Flight | None = None) -> None:
        """Carry out what an answer, `flight`'s, says about stored responses and about others that are on their way."""
        if not changes:
            return
        brought_by = flight or self.fills.holder(changes)
        for change in changes:
            if isinstance(change, Invalidate):
                self.single_flight.mark_invalidated(change.key, but=brought_by)
        await self.stored.apply(changes)

    async def purge(self, purged: Callable[[str], bool], delete: Callable[[], int]) -> int:
        """Delete from the store, and keep what is under way for the same keys from being stored afterwards.

        `purged` tells whether a primary key is among those that `delete`, called on a store thread, deletes. Returns
        how many stored responses were deleted. Raises StoreError.
        """
        async with self.stored.commits:
            self.single_flight.mark_purged(purged)
            return await self.stored.run(delete)

    async def close(self) -> None:
        """Stop storing what is still on its way, and close the connections to origins."""
        await self.fills.close()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.origin.close()
