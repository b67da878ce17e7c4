"""A responder that knows which requests it is still answering, so that its pipeline can be closed after them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from addon.origin import RequestContent
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.reply import Reply, Stream
from addon.pipeline.request_context import RequestContext
from addon.pipeline.responder import OfflineMisses, Responder
from addon.runtime.counters import Counters
from cache.http.messages import Request, Response


class DrainingResponder(Responder):
    """Tracks each reply from its request until its content was sent."""

    def __init__(
        self,
        fetcher: Fetcher,
        counters: Counters,
        collapse_timeout: float,
        misses: OfflineMisses | None = None,
    ) -> None:
        super().__init__(fetcher, counters, collapse_timeout, misses)
        self._under_way: set[object] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def respond(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
        context: RequestContext | None = None,
    ) -> Reply:
        """Return the reply to a request. It counts as under way until its content is in memory, or closed."""
        token = object()
        self._begin(token)
        is_stream = False
        try:
            reply = await super().respond(request, interim=interim, content=content, context=context)
            if isinstance(reply.content, Stream):
                is_stream = True
                return replace(reply, content=self._tracked(token, reply.content))
            return reply
        finally:
            if not is_stream:
                self._end(token)

    def _tracked(self, token: object, stream: Stream) -> Stream:
        async def close(close: Callable[[], Awaitable[None]] = stream.close) -> None:
            try:
                await close()
            finally:
                self._end(token)

        return replace(stream, close=close)

    def _begin(self, token: object) -> None:
        self._under_way.add(token)
        self._idle.clear()

    def _end(self, token: object) -> None:
        self._under_way.discard(token)
        if not self._under_way:
            self._idle.set()

    async def settled(self) -> None:
        """Wait until no reply is under way, and all fills have ended."""
        await self._idle.wait()
        await self.fetcher.fills.settled()
