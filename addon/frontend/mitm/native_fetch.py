"""A flow that the pipeline answers, and whose response mitmproxy itself fetches where no copy can be part of it.

Then the flow is like any other of mitmproxy: its server, its timing, its streaming and its errors are mitmproxy's. The
pipeline sees the same response as it arrives, and stores it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from mitmproxy import ctx, http

from addon.frontend.mitm.arriving_response import ArrivingResponse
from addon.frontend.mitm.failures import failure_of
from addon.frontend.mitm.flow_requests import upstream_credentials
from addon.frontend.mitm.messages import fields_of, head_of
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.frontend.mitm.way_out import current_way, way_of_flow
from addon.origin import FailureKind, OriginFailure, RequestContent
from addon.pipeline.origin import FetchedResponse
from addon.pipeline.reply import Reply, Stream
from addon.pipeline.request_context import RequestContext
from addon.service import Service
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Fields, Request
from cache.policy.reasons import NotStored
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_BEHIND = 67_108_864
"""Bytes of streamed content that may wait for the store; a response that is further ahead is not stored."""


class NativeFetch:
    """The pipeline's work on one flow.

    Attributes:
        request: The flow's request, as the cache sees it.
        sent: The request that mitmproxy has to send; None as long as it need not.
        reply: The pipeline's reply. If mitmproxy fetches, its head is the one to present, and its content the same as
            the flow's.
        streamed: The content was passed to `tee`.
        unseen: mitmproxy has streamed content of unknown length past the cache, so it is not stored.
    """

    def __init__(self, flow: http.HTTPFlow, request: Request, service: Service) -> None:
        self.request = request
        self.sent: UpstreamRequest | None = None
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.streamed = self.unseen = False
        self.server_conn = flow.server_conn
        self._credentials = upstream_credentials(flow)
        self._service = service
        self._pipeline = service.active.current
        self._response: ArrivingResponse | None = None
        self._decided = asyncio.Event()
        self._asked_again = False
        self._way = way_of_flow(flow, request)
        current_way.set(self._way)
        content = flow.request.raw_content
        context = RequestContext(
            content=RequestContent(_once(content), len(content)) if content else None,
            fetch=self._fetch,
            # ledger SEC-08
            not_storable=NotStored.UNVERIFIED if request.scheme == "https" and ctx.options.ssl_insecure else None,
        )
        self._task = asyncio.get_running_loop().create_task(self._answer(context))

    # ---- the pipeline's side

    async def _answer(self, context: RequestContext) -> None:
        try:
            reply = await self._pipeline.responder.respond(self.request, context=context)
            self.reply.set_result(reply)
        except BaseException as error:
            if not self.reply.done():
                self.reply.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                self.reply.exception()  # it is retrieved by whoever waits, if anyone does
            raise
        finally:
            self._decided.set()
        if self.sent is not None:
            await _read(reply)

    async def _fetch(self, sent: UpstreamRequest) -> FetchedResponse:
        self._asked_again = self._response is not None
        if self._asked_again or sent.selected or sent.to_validate or sent.stored_parts:
            # a flow has one fetch of its own, and cannot fall back on a copy once that has failed
            fields = sent.request.fields.appending(*self._credentials)
            response = await self._pipeline.fetcher.origin.fetch(sent.request.with_fields(fields))
            if isinstance(response, ArrivingResponse) and response.server_conn:
                self.server_conn = response.server_conn
            return response
        if isinstance(self._pipeline.fetcher.origin, MitmproxyOrigin):
            await self._pipeline.fetcher.origin.refuse_unreachable(self._way)
        self._response = ArrivingResponse(self.request.method, self._service.clock)
        self.sent = sent
        self._decided.set()
        await self._response.received()
        return self._response

    # ---- mitmproxy's side

    async def decided(self) -> None:
        """Wait until either `sent` or `reply` is known."""
        await self._decided.wait()

    async def whole_reply(self) -> Reply:
        """Return the reply with its content in memory."""
        reply = await self.reply
        while isinstance(reply.content, Stream):  # once, or again if the copy was damaged
            reply = await self._pipeline.responder.in_memory(self.request, reply)
        return reply

    async def head_arrived(self, response: http.Response) -> bool:
        """Note the head of the response, and wait for the reply. Return whether it presents this response.

        If not, the response could not be used, and the reply takes its place.
        """
        if self._response is None:
            return False
        self._response.begin(head_of(response))
        reply = await self.reply
        return not self._asked_again and reply.refused is None

    def tee(self, chunk: bytes) -> None:
        """Note a piece of streamed content, as the origin sent it."""
        self.streamed = True
        if self._response is None:
            return
        self._response.feed(chunk)
        if self._response.waiting > MAX_BEHIND:
            detail = f"the store is more than {MAX_BEHIND} bytes behind"
            self._response.fail(OriginFailure(FailureKind.HTTP_RESPONSE_INCOMPLETE, detail))

    async def ended(self, content: bytes | None, trailers: http.Headers | None) -> None:
        """Note the end of the response, and wait until it is stored.

        `content` is all of it if it was not streamed; None if it was streamed past `tee`.
        """
        if self._response is None:
            return
        if not self._response.head.status:  # its head came before this began, while mitmproxy streamed the request
            await self.abandon()
            return
        if not self.streamed and content is None:
            self.unseen = True
            detail = "mitmproxy streamed content of unknown length (stream_large_bodies)"
            self._response.fail(OriginFailure(FailureKind.HTTP_RESPONSE_INCOMPLETE, detail))
        elif not self.streamed and content:
            self._response.feed(content)
        self._response.end(fields_of(trailers) if trailers else Fields())
        await asyncio.wait([self._task])

    def drop_content(self, status: int) -> None:
        """Note that the response had content which its status forbids."""
        self._pipeline.fetcher.reply_builder.note_dropped(self.request, status)

    async def failed(self, message: str) -> None:
        """Note that mitmproxy got no complete response, and wait until the cache has drawn its conclusions."""
        if self._response is not None:
            self._response.fail(failure_of(self.request.authority, message))
        else:
            self._task.cancel()
        await asyncio.wait([self._task])

    async def abandon(self) -> None:
        """End the pipeline's work: the client is gone, or has another protocol from now on."""
        self._task.cancel()
        if self._response is not None:
            self._response.abandon()  # else other requests would wait for its end
        await asyncio.wait([self._task])


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _read(reply: Reply) -> None:
    """Read content that mitmproxy has too, so that it is stored and counted."""
    if not isinstance(reply.content, Stream):
        return
    with suppress(OriginFailure, StoreError):
        try:
            async for _ in reply.content.chunks:
                pass
        finally:
            await reply.content.close()
