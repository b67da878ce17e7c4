"""A response that mitmproxy receives from an origin, as a pipeline reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from mitmproxy import connection

from addon.origin import FailureKind, OriginFailure
from addon.origin.exchange_times import ExchangeTimes
from cache.answer.compose import NO_CONTENT
from cache.http.messages import Fields, Response

PIECE = 65_536
"""Bytes of content that the pipeline gets at a time."""

MAX_WAITING = 1_048_576
"""Bytes that may wait for the pipeline before `has_room` waits."""


class ArrivingResponse:
    """A response whose events mitmproxy reports: its head, pieces of its content, its end, or a failure.

    Attributes:
        head: The head as received, once `received` has returned.
        request_time: When the request was sent, in seconds since the epoch.
        response_time: When the head was received, in seconds since the epoch.
        whole: Empty if the response has no content, else None.
        times: How long the parts of the exchange took; not for the connection, which mitmproxy opens when it wants.
        trailers: The trailer fields, once the content was read to its end.
        read_leniently: False; mitmproxy decides which responses it reads.
        waiting: Bytes of content that were not read yet.
        server_conn: mitmproxy's connection to the server, if it was opened for this response alone.
        on_close: Called when the pipeline wants no more of it.
    """

    def __init__(self, method: str, clock: Callable[[], float]) -> None:
        """Expect the response to a request with this method that is sent now."""
        self.head = Response(0, "")
        self.request_time = clock()
        self.response_time = 0.0
        self.whole: bytes | None = None
        self.times = ExchangeTimes(connect=None)
        self.trailers = Fields()
        self.read_leniently = False
        self.waiting = 0
        self.server_conn: connection.Server | None = None
        self.on_close: Callable[[], None] | None = None
        self._method = method
        self._clock = clock
        self._chunks: deque[bytes] = deque()
        self._has_head = False
        self._ended = False
        self._closed = False
        self._failure: OriginFailure | None = None
        self._progress = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def note_end(self) -> None:
        """Note that the content was read to its end just now."""
        self.times.whole = max(0.0, self._clock() - self.request_time)

    # ---- from mitmproxy

    def begin(self, head: Response) -> None:
        """Note the head."""
        self.head, self.response_time, self._has_head = head, self._clock(), True
        self.times.head = max(0.0, self.response_time - self.request_time)
        if self._method == "HEAD" or head.status in NO_CONTENT:
            self.whole, self.times.whole = b"", self.times.head
        self._progress.set()

    def feed(self, data: bytes) -> None:
        """Note a piece of the content."""
        if not data or self._closed or self._failure or self.whole is not None:
            return
        # in pieces, since the fill forgets whole pieces only
        self._chunks.extend(data[start : start + PIECE] for start in range(0, len(data), PIECE))
        self.waiting += len(data)
        if self.waiting > MAX_WAITING:
            self._room.clear()
        self._progress.set()

    def end(self, trailers: Fields = Fields()) -> None:  # noqa: B008 - Fields is immutable
        """Note that the content is complete."""
        self.trailers, self._ended = trailers, True
        self._progress.set()

    def fail(self, failure: OriginFailure) -> None:
        """Note that nothing more will come, unless the response is complete."""
        if not self._ended:
            self._failure = self._failure or failure
            self._room.set()
            self._progress.set()

    async def has_room(self) -> None:
        """Wait until less than `MAX_WAITING` bytes wait for the pipeline, or it wants no more."""
        await self._room.wait()

    # ---- to the pipeline

    async def received(self) -> None:
        """Wait for the head. Raises OriginFailure."""
        while not self._has_head:
            if self._failure:
                raise self._failure
            await self._wait()

    async def body(self) -> AsyncIterator[bytes]:
        """Iterate over the content. Raises OriginFailure if it ends short."""
        while self.whole is None:
            if self._chunks:
                chunk = self._chunks.popleft()
                self.waiting -= len(chunk)
                if self.waiting <= MAX_WAITING:
                    self._room.set()
                yield chunk
            elif self._failure:
                raise self._failure
            elif self._ended:
                return
            else:
                await self._wait()

    async def close(self) -> None:
        """Take no more content."""
        self.abandon()

    def abandon(self) -> None:
        """Do as `close`, without waiting. Whoever still reads the content gets an OriginFailure."""
        self._closed = True
        self._chunks.clear()
        self.fail(OriginFailure(FailureKind.HTTP_RESPONSE_INCOMPLETE, "the response was not read to its end"))
        self._room.set()
        if self.on_close:
            self.on_close()

    async def _wait(self) -> None:
        self._progress.clear()
        await self._progress.wait()
