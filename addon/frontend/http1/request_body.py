"""The content of a request, as the client sends it: framed strictly, read no faster than the origin takes it."""

from __future__ import annotations

import asyncio
from collections import deque

import httptools

from addon.frontend.http1.request_head import MalformedRequest
from addon.frontend.incoming_content import IncomingContent

MAX_WAITING = 262_144
"""Bytes that may wait for the reader."""

OVERHEAD = 64
"""Bytes of memory that a chunk takes beside its content."""

MAX_FRAMING = 65_536
"""Bytes of chunk sizes, extensions and trailers in a row, without any content."""


_CHUNKS_FOLLOW = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
"""A request head for llhttp in place of the real one, which is parsed already, so that nothing else affects it."""


class RequestBody(IncomingContent):
    """Content on its way in. The connection feeds it; iterate over it to read."""

    def __init__(self, length: int | None, transport: asyncio.Transport) -> None:
        """Expect `length` bytes, or chunks if it is None."""
        super().__init__()  # `received` counts the framing too
        self.length = length
        self.surplus = False
        """Bytes arrived together with the last chunk: the connection must end with the response."""
        self.paused = False
        """Reading from the client is paused, since the reader is slower."""
        self._left = length
        self._transport = transport
        self._parsed: list[bytes] = []
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._framing = 0
        self._parser = httptools.HttpRequestParser(self)
        if length is None:
            self._parser.feed_data(_CHUNKS_FOLLOW)

    def begin(self, data: bytes) -> bytes:
        """Take bytes that came before it was the turn of the request, and read on. Like `feed` otherwise."""
        rest = self.feed(data)
        if not self.paused:
            self._transport.resume_reading()  # paused by the connection if many came
        return rest

    def feed(self, data: bytes) -> bytes:
        """Take bytes, and return those that follow the content. Raises MalformedRequest if the framing is broken."""
        if self.complete:
            return data  # a client that has read the response may send its next request before we note the end
        self.received += len(data)
        rest = b""
        if self._left is not None:
            data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
            self._keep(data)
            self.complete = self._left == 0
        else:
            self._feed_chunks(data)
        self._wake()
        return rest

    def keeps_up(self, size: int) -> bool:
        """Return whether the client has sent so many bytes, or is paused, or is done."""
        return self.received >= size or self.paused or self.complete

    def _feed_chunks(self, data: bytes) -> None:
        self._framing += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:  # bytes behind the end are ignored: the connection ends with the response
                raise MalformedRequest("The content is not in chunks as it should be.") from error
        finally:
            self._keep(b"".join(self._parsed))  # joined, since a client may send very small chunks
            self._parsed.clear()
        if self._framing > MAX_FRAMING and not self.complete:
            raise MalformedRequest("The chunks of the content have more extensions than content.")

    def fail(self, why: str) -> None:
        """End the content before it is complete."""
        if not self.complete:
            self._broken = why
            self._wake()

    def __aiter__(self) -> RequestBody:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes. Raises BrokenRequestBody if the content ends short."""
        while not self._chunks:
            await self._wait()
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk) + OVERHEAD
        if self.paused and self._waiting <= MAX_WAITING // 2:
            self.paused = False
            self._transport.resume_reading()
        return chunk

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        self._chunks.append(data)
        self._waiting += len(data) + OVERHEAD
        if self._waiting > MAX_WAITING and not self.paused:
            self.paused = True
            self._transport.pause_reading()

    # ---- called by llhttp

    def on_message_begin(self) -> None:
        """Note that bytes follow the content."""
        self.surplus = self.complete

    def on_body(self, data: bytes) -> None:
        """Take content, chunk framing removed."""
        if not self.complete:
            self._framing = 0
            self._parsed.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the content."""
        self.complete = True
