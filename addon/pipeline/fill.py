"""One answer on its way from an origin, passed on to any number of readers as it comes, and into the store.

It belongs to the cache, not to the request that caused it: it goes on when that one's client has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from addon.origin import FailureKind, OriginAnswer, OriginFailure
from addon.pipeline.fill_window import FillWindow
from addon.pipeline.fill_writer import FillWriter, declared_length
from addon.pipeline.reply import Stream
from addon.pipeline.single_flight import Flight
from addon.runtime.counters import Counters
from cache.engine.decisions import Store
from cache.http.messages import Fields
from cache.policy.reasons import NotStored

RECENT = 262_144
"""Octets that are held in memory although they can be read back from the store: whoever keeps up needs no disk."""

AHEAD = 1_048_576
"""Octets that the origin may be ahead of the slowest reader where they cannot be read back."""

UNWATCHED = 67_108_864
"""Octets of an answer without a length that are taken in while nobody reads it."""

CHUNK = 65_536
"""Octets that are read back at a time."""


class Fill:
    """An answer that is coming in.

    Attributes:
        length: Octets of its content, where the origin says so.
    """

    def __init__(
        self, answer: OriginAnswer, outcome: Store, writer: FillWriter, flight: Flight, counters: Counters
    ) -> None:
        self.length = declared_length(answer.head)
        self.entry = outcome.entry
        self.flight = flight
        self._answer = answer
        self._writer = writer
        self._counters = counters
        self._window = FillWindow()
        self._readers: set[_Reader] = set()
        self._unwatched = 0
        self._end: OriginFailure | None = None
        self._over = False
        self._growth: asyncio.Future[None] | None = None
        self._going_on: asyncio.Future[None] | None = None

    @property
    def may_be_joined(self) -> bool:
        """Tell whether another reader can have it from its beginning."""
        return self._writer.active and (self._writer.readable >= self._window.end or not self._window.start)

    def stream(self, *, trailers: bool = False) -> Stream:
        """Return its content from the beginning, and with `trailers` what comes behind it."""
        reader = _Reader(self)
        self._readers.add(reader)
        if not trailers:
            return Stream(self._octets(reader), reader.leave)
        announced = self._answer.head.fields.get("trailer")
        return Stream(self._octets(reader), reader.leave, self._trailers, announced)

    def _trailers(self) -> Fields:
        return self._answer.trailers

    # ---- the origin's side

    async def run(self) -> None:
        """Take in the body to its end. Never raises for what an origin or a disk does."""
        self._end = OriginFailure(FailureKind.HTTP_RESPONSE_INCOMPLETE, "This proxy stopped.")
        try:
            await self._take_in()
            self._end = None
        except OriginFailure as failure:
            self._counters.count(f"failures.{failure.kind}")
            self._end = failure
        finally:
            self._writer.give_up(NotStored.INCOMPLETE, self._end.detail if self._end else "nobody waits for it")
            self._over = True
            _wake(self._growth)
            await self._answer.close()

    async def release(self) -> None:
        """Let go of the store once no reader is behind what is held in memory."""
        while any(reader.position < self._window.start for reader in self._readers):
            await self._reader_goes_on()
        await self._writer.release()

    async def _take_in(self) -> None:
        async for chunk in self._answer.body():
            self._counters.count("octets.from_origin", len(chunk))
            await self._writer.write(chunk)
            # who has the last octet may ask again at once, so it leaves after it is stored
            if self._window.end + len(chunk) == self.length:
                await self._writer.commit(being_read=bool(self._readers))
            self._window.append(chunk)
            _wake(self._growth)
            await self._make_room()
            if not self._is_wanted(len(chunk)):
                return
        await self._writer.commit(being_read=bool(self._readers))

    async def _make_room(self) -> None:
        """Let go of what is not needed in memory; wait for the slowest reader where that is still too much."""
        window = self._window
        while True:
            slowest = min((reader.position for reader in self._readers), default=window.end)
            if window.end <= max(self._writer.readable, RECENT):
                window.let_go(window.end - RECENT)  # the rest can be read back
            else:
                window.let_go(max(slowest, self._writer.readable))
            if window.end - window.start <= AHEAD:
                return
            if not self._leave_behind(slowest):
                await self._reader_goes_on()

    def _leave_behind(self, position: int) -> bool:
        """Cut off who is that far behind where others wait for more, and nothing is stored any more to read back."""
        behind = {reader for reader in self._readers if reader.position == position}
        if self._writer.active or behind == self._readers or self._writer.readable > position:
            return False
        self._readers -= behind
        return bool(behind)

    async def _reader_goes_on(self) -> None:
        self._going_on = asyncio.get_running_loop().create_future()
        await self._going_on

    def _is_wanted(self, octets: int) -> bool:
        if self._readers or self._window.end == self.length:
            self._unwatched = 0
            return True
        self._unwatched += octets
        return self._writer.active and (self.length is not None or self._unwatched <= UNWATCHED)

    # ---- the readers' side

    async def _octets(self, reader: _Reader) -> AsyncIterator[bytes]:
        """Iterate over the body as it comes. Raises OriginFailure where it ends short, StoreError where it is lost."""
        while True:
            if (octets := await self._next(reader.position)) is not None:
                reader.position += len(octets)
                _wake(self._going_on)
                yield octets
            elif not self._over:
                await self._growing()
            elif self._end is not None:
                raise self._end
            else:
                return

    async def _next(self, position: int) -> bytes | None:
        if (octets := self._window.at(position)) is not None:
            return octets
        if position < self._window.start:
            return await self._writer.read(position, min(position + CHUNK, self._window.start))
        return None

    def leave(self, reader: _Reader) -> None:
        """Count a reader no more."""
        self._readers.discard(reader)
        _wake(self._going_on)

    async def _growing(self) -> None:
        if self._growth is None or self._growth.done():
            self._growth = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._growth)  # many wait for the same


class _Reader:
    """How far one reader has come."""

    __slots__ = ("_fill", "position")

    def __init__(self, fill: Fill) -> None:
        self.position = 0
        self._fill = fill

    async def leave(self) -> None:
        """Read no further; the arrival goes on."""
        self._fill.leave(self)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
