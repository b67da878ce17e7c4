"""A fill: one origin response on its way to any number of readers, and into the store.

It belongs to the cache, not to the request that caused it, so it goes on when that request's client disconnects. Two
kinds may have no end, and stop without a reader: a stream at once, a response without a length after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from addon.origin import FailureKind, OriginFailure
from addon.pipeline.counting import from_origin_counters
from addon.pipeline.fill_window import FillWindow
from addon.pipeline.fill_writer import FillWriter, declared_length
from addon.pipeline.flight import Flight
from addon.pipeline.origin import FetchedResponse
from addon.pipeline.reply import Stream
from addon.runtime.counters import Counters
from addon.runtime.host_counters import host_counter
from cache.engine.decisions import Store
from cache.http.messages import Fields
from cache.policy.reasons import NotStored
from cache.rules.streams import is_stream

KEPT_IN_MEMORY = 262_144
"""Bytes that stay in memory although the store has them: readers that keep up need no disk."""

MAX_AHEAD = 1_048_576
"""Bytes that the origin may be ahead of the slowest reader if the store does not have them."""

MAX_UNREAD = 67_108_864
"""Bytes of a response without a length that are received while there is no reader."""

MAX_UNREAD_SECONDS = 60.0
"""Seconds in which a response without a length must end once its last reader has left."""

CHUNK = 65_536
"""Bytes that are read back from the store at a time."""


class Fill:
    """An origin response that is being received.

    Attributes:
        length: Bytes of its content, if the origin declared it.
        entry: The stored response that it becomes.
        flight: The fetch that it is the response to.
    """

    def __init__(
        self,
        response: FetchedResponse,
        outcome: Store,
        writer: FillWriter,
        flight: Flight,
        *,
        counters: Counters,
        host: str,
    ) -> None:
        """Count the content by `counters`, as from `host`."""
        self.length = declared_length(response.head)
        self.entry = outcome.entry
        self.flight = flight
        self._is_stream = is_stream(response.head)
        self._response = response
        self._writer = writer
        self._counters = counters
        self._host = host
        self._window = FillWindow()
        self._readers: set[_Reader] = set()
        self._unread = 0
        self._failure: OriginFailure | None = None
        self._ended = False
        self._growth: asyncio.Future[None] | None = None
        self._reader_progress: asyncio.Future[None] | None = None

    @property
    def may_be_joined(self) -> bool:
        """Return whether a new reader can have the content from its first byte. A stream is for one reader."""
        return (
            not self._is_stream
            and self._writer.active
            and (self._writer.readable >= self._window.end or not self._window.start)
        )

    def stream(self, *, trailers: bool = False) -> Stream:
        """Return the content from its first byte, for one reader; with `trailers` also the trailer fields."""
        reader = _Reader(self)
        self._readers.add(reader)
        if not trailers:
            return Stream(self._chunks(reader), reader.leave)
        announced = self._response.head.fields.get("trailer")
        return Stream(self._chunks(reader), reader.leave, self._trailers, announced)

    def _trailers(self) -> Fields:
        return self._response.trailers

    # ---- from the origin

    async def run(self) -> None:
        """Receive the content to its end. Does not raise for failures of the origin or the disk."""
        self._failure = OriginFailure(FailureKind.HTTP_RESPONSE_INCOMPLETE, "This proxy stopped.")
        try:
            await self._receive()
            self._failure = None
        except OriginFailure as failure:
            self._counters.count_each((f"failures.{failure.kind}", host_counter(self._host, "failures")))
            self._failure = failure
        finally:
            reason = self._failure.detail if self._failure else "it has no reader"
            self._writer.give_up(NotStored.INCOMPLETE, reason)
            self._ended = True
            _wake(self._growth)
            await self._response.close()

    async def release(self) -> None:
        """Release the store once no reader needs what is no longer in memory."""
        while any(reader.position < self._window.start for reader in self._readers):
            await self._wait_for_reader()
        await self._writer.release()

    async def _receive(self) -> None:
        names = from_origin_counters(self._host)
        async for chunk in self._response.body():
            self._counters.count_each(names, len(chunk))
            await self._writer.write(chunk)
            # committed before readers get the last byte, since a client may then ask again at once
            if self._window.end + len(chunk) == self.length:
                await self._writer.commit(being_read=bool(self._readers))
            self._window.append(chunk)
            _wake(self._growth)
            await self._make_room()
            if not self._is_wanted(len(chunk)):
                return
        self._response.note_end()
        if self._response.read_leniently:  # its head was correct
            self._writer.give_up(NotStored.LENIENT_ORIGIN, "its chunks")
        await self._writer.commit(being_read=bool(self._readers))

    async def _make_room(self) -> None:
        """Forget what is not needed in memory; wait for the slowest reader if that is still too much."""
        window = self._window
        while True:
            slowest = min((reader.position for reader in self._readers), default=window.end)
            if window.end <= max(self._writer.readable, KEPT_IN_MEMORY):
                window.release(window.end - KEPT_IN_MEMORY)  # the rest can be read back
            else:
                window.release(max(slowest, self._writer.readable))
            if window.end - window.start <= MAX_AHEAD:
                return
            if not self._drop_readers_at(slowest):
                await self._wait_for_reader()

    def _drop_readers_at(self, position: int) -> bool:
        """Cut off the readers at `position` if faster ones wait and the store cannot serve the slow ones."""
        slow = {reader for reader in self._readers if reader.position == position}
        if self._writer.active or slow == self._readers or self._writer.readable > position:
            return False
        self._readers -= slow
        return bool(slow)

    async def _wait_for_reader(self) -> None:
        self._reader_progress = asyncio.get_running_loop().create_future()
        await self._reader_progress

    def _is_wanted(self, size: int) -> bool:
        if self._readers or self._window.end == self.length:
            self._unread = 0
            return True
        self._unread += size
        return self._writer.active and (self.length is not None or self._unread <= MAX_UNREAD)

    # ---- to the readers

    async def _chunks(self, reader: _Reader) -> AsyncIterator[bytes]:
        """Iterate over the content as it comes. Raises OriginFailure if it ends short, StoreError if it is lost."""
        while True:
            if (chunk := await self._next(reader.position)) is not None:
                reader.position += len(chunk)
                _wake(self._reader_progress)
                yield chunk
            elif not self._ended:
                await self._wait_for_growth()
            elif self._failure is not None:
                raise self._failure
            else:
                return

    async def _next(self, position: int) -> bytes | None:
        if (chunk := self._window.at(position)) is not None:
            return chunk
        if position < self._window.start:
            return await self._writer.read(position, min(position + CHUNK, self._window.start))
        return None

    def leave(self, reader: _Reader) -> None:
        """Remove a reader."""
        self._readers.discard(reader)
        _wake(self._reader_progress)
        if not self._readers and self._is_stream:
            self._stop_unread()
        elif not self._readers and not self._ended and self.length is None:
            asyncio.get_running_loop().call_later(MAX_UNREAD_SECONDS, self._stop_unread)

    def _stop_unread(self) -> None:
        if not self._readers and not self._ended:
            self._response.abandon()

    async def _wait_for_growth(self) -> None:
        if self._growth is None or self._growth.done():
            self._growth = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._growth)  # several readers wait for the same future


class _Reader:
    """The position of one reader."""

    __slots__ = ("_fill", "position")

    def __init__(self, fill: Fill) -> None:
        self.position = 0
        self._fill = fill

    async def leave(self) -> None:
        """Stop reading; the fill goes on."""
        self._fill.leave(self)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
