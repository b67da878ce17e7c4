"""The content of a request, as a client sends it: framed strictly, read no faster than it is passed on."""

from __future__ import annotations

import asyncio
from collections import deque

import httptools

from addon.frontend.http1.request_head import MalformedRequest

AHEAD = 262_144
"""Octets that may wait for whoever reads them."""

OVERHEAD = 64
"""Octets of memory that a piece takes beside its content."""

MAX_IDLE = 65_536
"""Octets of chunk sizes, extensions and trailers on end, without any content."""


_CHUNKS_FOLLOW = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
"""A head for llhttp: what the real one says besides is settled, and must not settle it otherwise."""


class BrokenRequestBody(Exception):
    """The client left, or broke its framing, before its content was whole."""


class RequestBody:
    """Octets on their way in. The conversation feeds it; iterate to read."""

    def __init__(self, length: int | None, transport: asyncio.Transport) -> None:
        """Take `length` octets, or chunks."""
        self.length = length
        self.complete = False
        self.surplus = False
        """Octets followed the last chunk: the connection must end with the answer."""
        self.received = 0
        """Octets so far, framing included."""
        self.paused = False
        """The client waits for whoever reads."""
        self._left = length
        self._transport = transport
        self._parsed: list[bytes] = []
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._idle = 0
        self._broken: str | None = None
        self._reader: asyncio.Future[None] | None = None
        self._parser = httptools.HttpRequestParser(self)
        if length is None:
            self._parser.feed_data(_CHUNKS_FOLLOW)

    def feed(self, octets: bytes) -> bytes:
        """Take octets, and return those that follow the content. Raises Malformed if its framing is broken."""
        self.received += len(octets)
        rest = b""
        if self._left is not None:
            octets, rest = octets[: self._left], octets[self._left :]
            self._left -= len(octets)
            self._keep(octets)
            self.complete = self._left == 0
        else:
            self._feed_chunks(octets)
        self._wake()
        return rest

    def keeps_up(self, octets: int) -> bool:
        """Tell whether the client has sent that many octets, or has to wait, or is done."""
        return self.received >= octets or self.paused or self.complete

    def _feed_chunks(self, octets: bytes) -> None:
        self._idle += len(octets)
        try:
            self._parser.feed_data(octets)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:  # what follows the end is not ours to judge: the connection ends with the answer
                raise MalformedRequest("The content is not in chunks as it should be.") from error
        finally:
            self._keep(b"".join(self._parsed))  # a client may send its chunks as small as it likes
            self._parsed.clear()
        if self._idle > MAX_IDLE and not self.complete:
            raise MalformedRequest("The chunks of the content have more extensions than content.")

    def fail(self, why: str) -> None:
        """End the content before its end."""
        if not self.complete:
            self._broken = why
            self._wake()

    def __aiter__(self) -> RequestBody:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next octets. Raises ContentBroken where they end short."""
        while not self._chunks:
            if self._broken is not None:
                raise BrokenRequestBody(self._broken)
            if self.complete:
                raise StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk) + OVERHEAD
        if self.paused and self._waiting <= AHEAD // 2:
            self.paused = False
            self._transport.resume_reading()
        return chunk

    def _keep(self, octets: bytes) -> None:
        if not octets:
            return
        self._chunks.append(octets)
        self._waiting += len(octets) + OVERHEAD
        if self._waiting > AHEAD and not self.paused:
            self.paused = True
            self._transport.pause_reading()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # llhttp's callbacks

    def on_message_begin(self) -> None:
        """See that something follows the content."""
        self.surplus = self.complete

    def on_body(self, octets: bytes) -> None:
        """Take octets of content, chunk framing removed."""
        if not self.complete:
            self._idle = 0
            self._parsed.append(octets)

    def on_message_complete(self) -> None:
        """Take the end of the content."""
        self.complete = True
