"""Answers one request: looks into the store, shares the fetch of another request, or fetches."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from addon.origin import FailureKind, OriginFailure, RequestContent
from addon.pipeline.background_revalidation import BackgroundRevalidation
from addon.pipeline.counting import request_counters
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.fill_writer import declared_length
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.reply import Reply
from addon.pipeline.request_context import NO_CONTEXT, RequestContext
from addon.pipeline.request_key import with_cache_key
from addon.pipeline.single_flight import audience_of
from addon.runtime.counters import Counters
from cache import engine
from cache.engine.decisions import Refuse, Serve, UpstreamRequest
from cache.http.messages import Request, Response
from cache.policy.reasons import Forwarded, Refused
from cache.rules.key import keys, primary_key
from cache.rules.stored_response import StoredResponse
from cache.rules.streams import asks_for_stream, is_stream
from cache.stores.base import StoreError

COLLAPSIBLE = frozenset({Forwarded.URI_MISS, Forwarded.VARY_MISS, Forwarded.STALE})
"""Reasons to go to the origin that the fetch of another request may make unnecessary."""

MAX_BUFFERED_FOR_HTTP_1_0 = 16_777_216
"""Bytes of content without a length that are held in memory for a client of HTTP/1.0."""

MAX_COPIES = 4
"""Copies that may turn out damaged before the request goes to the origin without any."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A request that tries an origin which is left alone. It does not wait for others, and none waits for it."""

    sent: UpstreamRequest


class Turns(Protocol):
    """Says which requests try an origin that is left alone."""

    def may_try(self, request: Request, /) -> bool:
        """Return whether it is the turn of the request."""

    def may_try_as_well(self, request: Request, /) -> bool:
        """Return whether the request may try its origin out of turn."""


class OfflineMisses(Protocol):
    """Makes replies to requests that may not go to the origin and find no stored response."""

    @property
    def missing(self) -> list[str]:
        """The URLs that were missing, each once, in order."""

    async def reply(self, request: Request, refuse: Refuse) -> Reply:
        """Return the reply to a request that was refused offline."""


class Responder:
    """Answers requests from copies and from origins. Upgrades to other protocols are handled elsewhere."""

    def __init__(
        self,
        fetcher: Fetcher,
        counters: Counters,
        collapse_timeout: float,
        misses: OfflineMisses | None = None,
    ) -> None:
        """Let requests wait for one fetch for `collapse_timeout` seconds; then one of them fetches, too."""
        self.fetcher = fetcher
        self.misses = misses
        self._counters = counters
        self.collapse_timeout = collapse_timeout
        self._background_revalidation = BackgroundRevalidation(fetcher)

    async def respond(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
        context: RequestContext | None = None,
    ) -> Reply:
        """Return the reply to a request. Does not raise for anything that a client, an origin or a disk does.

        Args:
            request: The head; `has_content` says whether content follows.
            interim: Called with the head of each 1xx that the origin sends before its response, in order.
            content: The content. It is sent to the origin as it comes; the reply may come before its end.
            context: All parts of the request besides its head, in place of `interim` and `content`.
        """
        context = context or _context(request, content, interim)
        if context.waited_as is None:
            self._counters.count_each(request_counters(request.scheme))
        policy = self.fetcher.policy
        if policy.keying.query_rules or policy.keying.post_rules or policy.storing.everything:
            request, context = await with_cache_key(request, context, policy)
        key, waited_as = primary_key(request), context.waited_as
        for _ in range(MAX_COPIES):
            found = await self.stored(key)
            match self.decide(request, found, waited_as):
                case Trial(sent):
                    reply = await self.fetcher.fetch(request, sent, context, key=key)
                    return await self._reply_after_trial(request, reply)
                case UpstreamRequest() as sent:
                    shared = await self._forward(request, sent, context, key, found, waited=waited_as is not None)
                    if shared is not None:
                        return shared
                    waited_as = sent.fwd
                case Serve() as serve:
                    if serve.background_validation:
                        self._background_revalidation.start(request, serve.background_validation)
                    try:
                        return await self.fetcher.reply_builder.copy(request, serve)
                    except StoreError:
                        continue  # the copy was damaged and is deleted: decide again without it
                case Refuse() as refuse:
                    self.fetcher.count_refused(request)
                    return await self._reply_to_miss(request, refuse, self.fetcher.errors.refuse(refuse))
        return await self.fetcher.fetch(
            request, engine.forward_after_damage(request, self.fetcher.policy), context, key=key
        )

    async def _forward(
        self,
        request: Request,
        sent: UpstreamRequest,
        context: RequestContext,
        key: str,
        found: tuple[StoredResponse, ...],
        *,
        waited: bool,
    ) -> Reply | None:
        """Return the reply from the fetch of another request, or from the origin; None if it is in the store now.

        `found` is what the store had. A request that has `waited` before goes to the origin.
        """
        leads, shared = is_collapsible(request, sent), None
        if leads and not waited:
            shared = await self._share(request, sent, key)
            if isinstance(shared, Reply):
                return shared
            if shared is FlightResult.STORED:
                return None
        flight, leases = self.fetcher.begin(request, sent, key, leads=leads), self.fetcher.leases
        if leases and shared is FlightResult.ASK_ANEW:
            try:
                stored = await leases.is_stored(flight, request, sent, lambda: self._stored_in_memory(key) == found)
            except asyncio.CancelledError:
                self.give_up(flight)
                raise
            if stored:
                return await self.reply_after_lease(request, sent, context, flight)
        return await self.fetcher.finish(request, sent, context, flight)

    async def reply_after_lease(
        self, request: Request, sent: UpstreamRequest, context: RequestContext, flight: Flight
    ) -> Reply | None:
        """Return the reply from the origin for a flight, after another process has stored a response.

        None if the request can be answered from that: the flight has ended.
        """
        try:
            decision = self.decide(request, await self.stored(flight.key), sent.fwd)
        except asyncio.CancelledError:
            self.give_up(flight)
            raise
        if isinstance(decision, UpstreamRequest):
            return await self.fetcher.finish(request, decision, context, flight)
        flight.end(FlightResult.STORED)
        self.fetcher.single_flight.finish(flight)
        return None

    def give_up(self, flight: Flight) -> None:
        """Let another request fetch: the client of this one has disconnected."""
        flight.end(FlightResult.ASK_ANEW)
        self.fetcher.single_flight.finish(flight)

    async def buffered(self, request: Request, reply: Reply, limit: int) -> Reply:
        """Return the reply with its content in memory, if its declared length is at most `limit` bytes.

        For a client of HTTP/1.0, content without a length is read too: HTTP/1.0 has no chunks, and the end of the
        connection would not tell whether the content is complete (RFC 9112 §8). Content that ends short becomes an
        error, since nothing of it was sent yet. A stream is not waited for.
        """
        length = declared_length(reply.head)
        without_length = length is None and request.version == "HTTP/1.0"
        if (
            isinstance(reply.content, bytes)
            or is_stream(reply.head)
            or not (without_length or (length is not None and length <= limit))
        ):
            return reply
        return await self.in_memory(request, reply, max(limit, MAX_BUFFERED_FOR_HTTP_1_0))

    async def in_memory(self, request: Request, reply: Reply, limit: float = math.inf) -> Reply:
        """Return the reply with its content in memory; an error if that ends short, or has more than `limit` bytes."""
        if isinstance(reply.content, bytes):
            return reply
        try:
            content = await read_all(reply.content.chunks, limit)
        except OriginFailure as failure:
            return self.fetcher.errors.origin_failed(failure)
        except StoreError:
            return await self.respond(request)  # the copy was damaged and is deleted
        finally:
            await reply.content.close()
        fields = reply.head.fields
        if declared_length(reply.head) is None:
            fields = fields.replacing("Content-Length", str(len(content)))
        return replace(reply, head=replace(reply.head, fields=fields), content=content)

    async def _reply_to_miss(self, request: Request, refuse: Refuse, error: Reply) -> Reply:
        """Return the reply to a request that was refused; it is `error` unless the request is an offline miss."""
        is_miss = refuse.reason in (Refused.OFFLINE, Refused.REPLAY)
        return await self.misses.reply(request, refuse) if is_miss and self.misses else error

    async def _reply_after_trial(self, request: Request, reply: Reply) -> Reply:
        """Return the reply to a trial; if it has failed, the one that other requests for this origin get."""
        refuse = self.refusal_after_trial(request, reply.head.status) if reply.handling is None else None
        return await self._reply_to_miss(request, refuse, reply) if refuse else reply

    def refusal_after_trial(self, request: Request, status: int) -> Refuse | None:
        """Return the refusal that other requests for the origin get, after a trial led to an error with this status.

        None if the error is sent as it is.
        """
        if status not in (502, 504) or not self.fetcher.policy.leaves_alone(request):
            return None
        decision = engine.on_request(request, (), self.fetcher.policy, self.fetcher.clock())
        return decision if isinstance(decision, Refuse) else None

    async def stored(self, key: str) -> tuple[StoredResponse, ...]:
        """Return the stored responses for a primary key."""
        stored: tuple[StoredResponse, ...] = ()
        for each in keys(key, self.fetcher.policy):
            in_memory = self.fetcher.store.peek(each)
            stored += await self.fetcher.store.candidates(each) if in_memory is None else in_memory
        return stored

    def _stored_in_memory(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return the stored responses for a primary key, or None if only the disk knows. Does not wait."""
        stored: tuple[StoredResponse, ...] = ()
        for each in keys(key, self.fetcher.policy):
            if (in_memory := self.fetcher.store.peek(each)) is None:
                return None
            stored += in_memory
        return stored

    def decide(
        self,
        request: Request,
        candidates: Sequence[StoredResponse],
        waited_as: Forwarded | None = None,
        *,
        turns: Turns | None = None,
    ) -> Serve | UpstreamRequest | Refuse | Trial:
        """Return the engine's decision; if it demands that an origin that is left alone is tried again, a trial.

        `turns` says which requests try origins, by default those whose turn it is, and takes note of them.
        """
        policy, now = self.fetcher.policy, self.fetcher.clock()
        turns = turns or self
        if policy.leaves_alone(request):
            match engine.on_request(request, candidates, policy.leaving_none_alone(), now, waited_as):
                case UpstreamRequest() as sent if turns.may_try(request):
                    return Trial(sent)
                case UpstreamRequest() as sent:
                    alone = engine.on_request(request, candidates, policy, now, waited_as)
                    return self._try_as_well(request, sent, alone, turns)
                case Serve(background_validation=UpstreamRequest()) as serve if self._background_revalidation.may_start(
                    request
                ) and turns.may_try(request):
                    return serve
                case _:
                    pass
        return engine.on_request(request, candidates, policy, now, waited_as)

    def _try_as_well(
        self, request: Request, sent: UpstreamRequest, alone: Serve | UpstreamRequest | Refuse, turns: Turns
    ) -> Serve | UpstreamRequest | Refuse | Trial:
        """Return a trial in place of `alone`, the decision without the origin, if it may be tried out of turn.

        A stale copy is served at once, and the origin is tried in the background.
        """
        match alone:
            case Refuse() if turns.may_try_as_well(request):
                return Trial(sent)
            case Serve() if self._background_revalidation.may_start(request) and turns.may_try_as_well(request):
                behind = engine.background_validation(request, alone.entry, self.fetcher.policy, alone.detail)
                return replace(alone, background_validation=behind)
            case _:
                return alone

    def may_try(self, request: Request) -> bool:
        """Return whether it is the turn of the request to try its origin."""
        return self.fetcher.reachability.may_try(request) and self._prepare_trial(request)

    def may_try_as_well(self, request: Request) -> bool:
        """Return whether the request may try its origin out of turn."""
        return self.fetcher.reachability.may_try_as_well(request) and self._prepare_trial(request)

    def _prepare_trial(self, request: Request) -> bool:
        if self.fetcher.reachability.needs_new_connections(request):
            self.fetcher.origin.renew(request)
        return True

    async def _share(self, request: Request, sent: UpstreamRequest, key: str) -> Reply | FlightResult:
        """Wait for a fetch of the same key that is under way.

        Returns:
            A reply from its response, or to its second failure; STORED if the response is in the store now; NOT_SHARED
            if the request is not to wait any more; ASK_ANEW if there is no such fetch, or it takes long, so that the
            request is to lead.
        """
        single_flight, audience = self.fetcher.single_flight, audience_of(request, sent.fwd, sent.variant)
        if single_flight.leader(key, audience) is None:
            return FlightResult.ASK_ANEW
        if single_flight.is_hit_for_pass(key, self.fetcher.clock(), audience):
            return FlightResult.NOT_SHARED
        has_failed = False
        while waiting_list := single_flight.waiting_list(key, audience):
            match await waiting_list.answer(self.collapse_timeout):
                case FlightResult.ARRIVING, flight:
                    return self._join(request, sent, flight) or FlightResult.NOT_SHARED
                case FlightResult.LATE, flight if flight is single_flight.leader(key, audience):
                    return FlightResult.ASK_ANEW
                case FlightResult.FAILED, flight if has_failed and flight.failure is not None:
                    return await self.fetcher.reply_to_failure(request, sent, flight.failure, key)
                case FlightResult.FAILED, _:
                    has_failed = True  # one of those that wait tries once more
                case ((FlightResult.LATE | FlightResult.ASK_ANEW), _):
                    pass
                case result, _:
                    return result
        return FlightResult.ASK_ANEW

    def _join(self, request: Request, sent: UpstreamRequest, leader: Flight) -> Reply | None:
        return self.fetcher.fills.join(request, sent, leader, self.fetcher.policy, self.fetcher.clock())

    async def close(self) -> None:
        """Stop the work in the background."""
        await self._background_revalidation.close()
        await self.fetcher.close()


async def read_all(chunks: AsyncIterator[bytes], limit: float) -> bytes:
    """Return all content. Raises OriginFailure if there are more than `limit` bytes, since it is held in memory."""
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > limit:
            kind = FailureKind.HTTP_RESPONSE_INCOMPLETE
            raise OriginFailure(kind, f"The response is longer than {limit:.0f} bytes, for a client of HTTP/1.0.")
    return bytes(content)


def _context(
    request: Request, content: RequestContent | None, interim: Callable[[Response], None] | None
) -> RequestContext:
    if request.version == "HTTP/1.0":
        interim = None  # RFC 9110 §15.2
    return RequestContext(content, interim) if content or interim else NO_CONTEXT


def is_collapsible(request: Request, sent: UpstreamRequest) -> bool:
    """Return whether one fetch may serve several requests like this one. A stream begins anew for each client."""
    plain = request.method == "GET" and "range" not in request.fields and not asks_for_stream(request)
    return plain and sent.not_storable is None and sent.fwd in COLLAPSIBLE
