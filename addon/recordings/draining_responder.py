"""A responder that knows how many are being answered by it, so that it can go when nobody is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from addon.origin import RequestContent
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.reply import Reply, Stream
from addon.pipeline.responder import Responder
from addon.runtime.counters import Counters
from cache.http.messages import Request, Response


class DrainingResponder(Responder):
    """Counts an answer from the request to the last octet."""

    def __init__(self, fetcher: Fetcher, counters: Counters, collapse_timeout: float) -> None:
        super().__init__(fetcher, counters, collapse_timeout)
        self._under_way: set[object] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def respond(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
    ) -> Reply:
        """Return the answer to a request, which is over when its content is at hand, or has been closed."""
        answering = object()
        self._begin(answering)
        lasts = False
        try:
            reply = await super().respond(request, interim=interim, content=content)
            if isinstance(reply.content, Stream):
                lasts = True
                return replace(reply, content=self._followed(answering, reply.content))
            return reply
        finally:
            if not lasts:
                self._end(answering)

    def _followed(self, answering: object, stream: Stream) -> Stream:
        async def close(close: Callable[[], Awaitable[None]] = stream.close) -> None:
            try:
                await close()
            finally:
                self._end(answering)

        return replace(stream, close=close)

    def _begin(self, answering: object) -> None:
        self._under_way.add(answering)
        self._idle.clear()

    def _end(self, answering: object) -> None:
        self._under_way.discard(answering)
        if not self._under_way:
            self._idle.set()

    async def settled(self) -> None:
        """Wait until nobody is being answered, and what has arrived meanwhile is stored."""
        await self._idle.wait()
        await self.fetcher.fills.settled()
