"""The one place that joins engine, store, flights and origin: `await respond(request)` gives the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from addon.offline.miss_response import MissResponses
from addon.origin import FailureKind, OriginFailure, RequestContent
from addon.pipeline.background_revalidation import BackgroundRevalidation
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.fill_writer import declared_length
from addon.pipeline.reply import Reply
from addon.pipeline.request_context import NO_CONTEXT, RequestContext
from addon.pipeline.request_key import with_cache_key
from addon.pipeline.single_flight import Flight, FlightResult
from addon.runtime.counters import Counters
from cache import engine
from cache.engine.decisions import Refuse, Serve, UpstreamRequest
from cache.http.messages import Request, Response
from cache.policy.reasons import Forwarded, Refused
from cache.rules.key import keys, primary_key
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

COLLAPSIBLE = frozenset({Forwarded.URI_MISS, Forwarded.VARY_MISS, Forwarded.STALE})
"""Reasons to go forward that another request's fetch may well dispose of."""

MAX_COUNTLESS = 16_777_216
"""Octets of unknown number that are held in memory for a client of HTTP/1.0."""

MAX_COPIES = 4
"""Copies that may turn out damaged before the request goes forward without any."""


class Responder:
    """Answers requests, from copies and origins. Upgrades to other protocols are not among them."""

    def __init__(self, fetcher: Fetcher, counters: Counters, collapse_timeout: float) -> None:
        self.fetcher = fetcher
        self._counters = counters
        self._collapse_timeout = collapse_timeout
        self._background_revalidation = BackgroundRevalidation(fetcher)
        self.misses: MissResponses | None = None

    async def respond(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
    ) -> Reply:
        """Return the answer to a request. Never raises for what a client, an origin or a disk does.

        Args:
            request: Its head; `has_content` says whether content follows.
            interim: Called with the head of each 1xx that the origin sends before its answer, in order.
            content: What follows the head. It goes to the origin as it comes; the answer may come before its end.
        """
        self._counters.count("requests")
        self._counters.count("requests.http" if request.scheme == "http" else "requests.https")
        if request.version == "HTTP/1.0":
            interim = None  # RFC 9110 §15.2
        context = RequestContext(content, interim) if content or interim else NO_CONTEXT
        if self.fetcher.policy.keying.query_rules or self.fetcher.policy.keying.post_rules:
            request, context = await with_cache_key(request, context, self.fetcher.policy)
        key = primary_key(request)
        waited_as: Forwarded | None = None
        for _ in range(MAX_COPIES):
            match await self._decision(request, key, waited_as):
                case UpstreamRequest() as sent:
                    leads = is_collapsible(request, sent)
                    shared = await self._shared(request, sent, key) if leads and waited_as is None else False
                    if isinstance(shared, Reply):
                        return shared
                    if not shared:
                        return await self.fetcher.fetch(request, sent, context, key=key, leads=leads)
                    waited_as = sent.fwd
                case Serve() as serve:
                    if serve.background_validation:
                        self._background_revalidation.start(request, serve.background_validation)
                    try:
                        return await self.fetcher.reply_builder.copy(request, serve)
                    except StoreError:
                        continue  # that copy is damaged and gone: decide again without it
                case Refuse() as refuse:
                    reply = self.fetcher.reply_builder.refuse(refuse)
                    is_miss = refuse.reason in (Refused.OFFLINE, Refused.REPLAY)
                    return await self.misses.reply(request, refuse) if is_miss and self.misses else reply
        return await self.fetcher.fetch(request, engine.forward_unread(request, self.fetcher.policy), context, key=key)

    async def buffered(self, request: Request, reply: Reply, limit: int) -> Reply:
        """Return the reply with its content read, if it is to be no more than `limit` octets.

        For a client of HTTP/1.0 content of unknown length is read too: it knows no chunks, and an end by closing
        would look the same whether the content is whole or not (RFC 9112 §8). Content that ends short becomes an
        error: nothing of it has been sent yet.
        """
        length = declared_length(reply.head)
        countless = length is None and request.version == "HTTP/1.0"
        if isinstance(reply.content, bytes) or not (countless or (length is not None and length <= limit)):
            return reply
        try:
            octets = await read_all(reply.content.octets, max(limit, MAX_COUNTLESS))
        except OriginFailure as failure:
            return self.fetcher.failed(failure)
        except StoreError:
            return await self.respond(request)  # the copy is damaged, and gone by now
        finally:
            await reply.content.close()
        fields = reply.head.fields.replacing("Content-Length", str(len(octets))) if countless else reply.head.fields
        return replace(reply, head=replace(reply.head, fields=fields), content=octets)

    async def _decision(
        self, request: Request, key: str, waited_as: Forwarded | None
    ) -> Serve | UpstreamRequest | Refuse:
        candidates: tuple[StoredResponse, ...] = ()
        for each in keys(key, self.fetcher.policy):
            known = self.fetcher.stored.peek(each)
            candidates += await self.fetcher.stored.candidates(each) if known is None else known
        return engine.on_request(request, candidates, self.fetcher.policy, self.fetcher.clock(), waited_as)

    async def _shared(self, request: Request, sent: UpstreamRequest, key: str) -> Reply | bool:
        """Wait for a fetch of the same key that is under way.

        Returns:
            The reply that it gives to this request too; else whether what it brought is in the store by now.
        """
        single_flight = self.fetcher.single_flight
        if single_flight.leader(key) is None or single_flight.is_hit_for_pass(key, self.fetcher.clock()):
            return False
        loop = asyncio.get_running_loop()
        until = loop.time() + self._collapse_timeout
        while leader := single_flight.leader(key):
            match await leader.result(until - loop.time()):
                case FlightResult.ARRIVING:
                    return self._joined(request, sent, leader) or False
                case FlightResult.STORED:
                    return True
                case FlightResult.NOT_SHARED:
                    return False
                case FlightResult.ASK_ANEW:
                    pass
        return False

    def _joined(self, request: Request, sent: UpstreamRequest, leader: Flight) -> Reply | None:
        return self.fetcher.fills.join(request, sent, leader, self.fetcher.policy, self.fetcher.clock())

    async def close(self) -> None:
        """Stop what goes on in the background."""
        await self._background_revalidation.close()
        await self.fetcher.close()


async def read_all(octets: AsyncIterator[bytes], limit: int) -> bytes:
    """Return all octets. Raises OriginFailure if there are more than `limit`: they are to be held in memory."""
    whole = bytearray()
    async for chunk in octets:
        whole += chunk
        if len(whole) > limit:
            kind = FailureKind.HTTP_RESPONSE_INCOMPLETE
            raise OriginFailure(kind, f"The answer is longer than {limit} octets, for a client that knows no chunks.")
    return bytes(whole)


def is_collapsible(request: Request, sent: UpstreamRequest) -> bool:
    """Tell whether one fetch may serve several requests like this one."""
    plain = request.method == "GET" and "range" not in request.fields
    return plain and sent.not_storable is None and sent.fwd in COLLAPSIBLE
