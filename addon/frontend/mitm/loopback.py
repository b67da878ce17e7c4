"""The loopback server: streams content through mitmproxy, which streams only what it receives from a server.

mitmproxy sends a response that an addon makes from memory, in one piece. So content that is large or still coming is
offered on a loopback port under a secret path that is valid once, and mitmproxy is sent there to fetch it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from secrets import token_urlsafe

from addon.origin import OriginFailure
from addon.pipeline.reply import Stream
from cache.http.messages import Response
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

OFFER_TIMEOUT = 30.0
"""Seconds that content waits for mitmproxy to fetch it."""

MAX_HEAD = 131_072
"""Bytes of the request head that mitmproxy may send."""


class LoopbackServer:
    """The server of one proxy process."""

    def __init__(self) -> None:
        self._offers: dict[str, tuple[Response, Stream, asyncio.TimerHandle]] = {}
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self.address = ("127.0.0.1", 0)

    async def start(self) -> None:
        """Listen, unless it does already. Raises OSError."""
        async with self._starting:
            if self._server is None:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_HEAD)
                self.address = self._server.sockets[0].getsockname()[:2]

    def offer(self, head: Response, content: Stream) -> str:
        """Return the path under which the response can be fetched once."""
        path = f"/{token_urlsafe(24)}"
        timer = asyncio.get_running_loop().call_later(OFFER_TIMEOUT, self.withdraw, path)
        self._offers[path] = head, content, timer
        return path

    def withdraw(self, path: str) -> None:
        """Close content that was offered under a path and has not been fetched."""
        if offer := self._offers.pop(path, None):
            _, content, timer = offer
            timer.cancel()
            task = asyncio.get_running_loop().create_task(_close(content))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            ahead: bytes | None = b""
            while ahead is not None:
                ahead = await self._answer(reader, writer, ahead)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            logger.debug("mitmproxy closed its connection to the loopback server")
        finally:
            self._connections.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ahead: bytes) -> bytes | None:
        """Answer one request, whose first bytes are `ahead`; return those of the next one, or None if none can come."""
        request = ahead + await reader.readuntil(b"\r\n\r\n")
        path = request.partition(b" ")[2].partition(b" ")[0].decode("latin-1")
        offer = self._offers.pop(path, None)
        if offer is None:
            writer.transport.abort()  # an offer that is gone must not look like a response
            return None
        head, content, timer = offer
        timer.cancel()
        sending = asyncio.get_running_loop().create_task(_send(head, content, writer))
        watching = asyncio.get_running_loop().create_task(_cancel_at_end(reader, sending))
        try:
            await sending
        except asyncio.CancelledError:
            if not reader.at_eof():
                raise
            logger.debug("mitmproxy left before the end of the content")
            return None
        except (OriginFailure, StoreError) as failure:
            # the end of incomplete content must not look clean
            logger.info("content ended short: %s", failure)
            writer.transport.abort()
            return None
        finally:
            watching.cancel()
            await asyncio.wait([watching])  # the reader can be read by one task at a time
            await _close(content)
        return watching.result() if watching.done() and not watching.cancelled() else b""

    async def close(self) -> None:
        """Stop listening, and close everything that is offered."""
        for path in list(self._offers):
            self.withdraw(path)
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for writer in self._connections:
            writer.transport.abort()


async def _send(head: Response, content: Stream, writer: asyncio.StreamWriter) -> None:
    chunked = "content-length" not in head.fields
    fields = head.fields.appending(("Transfer-Encoding", "chunked")) if chunked else head.fields
    lines = [f"HTTP/1.1 {head.status} {head.reason}", *(f"{name}: {value}" for name, value in fields), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
    await writer.drain()
    async for chunk in content.chunks:
        if not chunk:
            continue
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _cancel_at_end(reader: asyncio.StreamReader, sending: asyncio.Task[None]) -> bytes:
    """Stop sending when mitmproxy closes its connection, as it does when the client leaves a stream that is silent.

    Return the first byte of the next request, if that comes before.
    """
    ahead = await reader.read(1)
    if not ahead:
        sending.cancel()
    return ahead


async def _close(content: Stream) -> None:
    with suppress(StoreError):
        await content.close()
