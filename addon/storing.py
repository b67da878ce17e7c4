"""Passes an origin's octets on while it stores them; goes on to the end when the reader has left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

from addon.origin import FailureKind, OriginAnswer, OriginFailure
from addon.statistics import Statistics
from addon.stored import StoredResponses
from cache.decisions import Complete, Store
from cache.flight import Ending, Flight
from cache.messages import Response
from cache.reasons import NotStored
from cache.stores.base import BodyWriter, StoreError

logger = logging.getLogger(__name__)

AHEAD = 16
"""Chunks that storing may be ahead of a slow reader."""


class Storing:
    """One response on its way from an origin into the store, and to whoever reads `octets`."""

    def __init__(
        self,
        arriving: OriginAnswer,
        outcome: Store | Complete,
        writer: BodyWriter,
        flight: Flight,
        stored: StoredResponses,
        statistics: Statistics,
        max_object: int,
    ) -> None:
        self._arriving = arriving
        self._outcome = outcome
        self._writer: BodyWriter | None = writer
        self._flight = flight
        self._stored = stored
        self._statistics = statistics
        self._max_object = max_object
        self._received = 0
        self._chunks: asyncio.Queue[bytes | OriginFailure | None] = asyncio.Queue(AHEAD)
        self._reader_left = False

    async def run(self) -> None:
        """Take in the body to its end. Never raises for what an origin or a disk does."""
        end: OriginFailure | None = OriginFailure(FailureKind.HTTP_RESPONSE_INCOMPLETE, "This proxy stopped.")
        try:
            await self._take_in()
            end = None
        except OriginFailure as failure:
            self._statistics.count(f"failures.{failure.kind}")
            end = failure
        finally:
            await self._arriving.close()
            await self._give_up(NotStored.INCOMPLETE, end.detail if end else "")
            await self._pass_on(end)

    async def _take_in(self) -> None:
        expected = declared_length(self._arriving.head)
        async for chunk in self._arriving.body():
            self._received += len(chunk)
            self._statistics.count("octets.from_origin", len(chunk))
            await self._keep(chunk)
            # who has the last octet may ask again at once, so it leaves after it is stored
            if self._received == expected:
                await self._commit()
            await self._pass_on(chunk)
        await self._commit()

    async def _keep(self, chunk: bytes) -> None:
        if self._writer is None:
            return
        if self._received > self._max_object:
            await self._give_up(NotStored.TOO_LARGE, f"more than {self._max_object} octets")
            return
        try:
            await self._stored.run(self._writer.write, chunk)
        except StoreError as error:
            await self._give_up(NotStored.STORE_FAILED, str(error))

    async def _commit(self) -> None:
        if self._writer is None:
            return
        async with self._stored.commits:
            if self._flight.overtaken:
                await self._give_up(NotStored.OVERTAKEN, "purged meanwhile")
                return
            entry = replace(self._outcome.entry, invalid=self._flight.outdated)
            if reason := await self._stored.commit(self._writer, entry, self._outcome.replaces):
                await self._give_up(reason, "at the end")
                return
        self._writer = None
        self._flight.end(Ending.STORED)

    async def _give_up(self, reason: NotStored, why: str) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        self._flight.end(Ending.NOT_SHARED)
        self._statistics.count(f"not_stored.{reason}")
        logger.info("%s not stored: %s (%s)", self._outcome.entry.target, reason, why)
        with suppress(StoreError):
            await self._stored.run(writer.abort)

    # ---- the reader's side

    async def _pass_on(self, item: bytes | OriginFailure | None) -> None:
        if not self._reader_left:
            await self._chunks.put(item)

    async def octets(self) -> AsyncIterator[bytes]:
        """Iterate over the body as it comes. Raises OriginFailure where it ends short."""
        while (item := await self._chunks.get()) is not None:
            if isinstance(item, OriginFailure):
                raise item
            yield item

    async def leave(self) -> None:
        """Read no further; storing goes on."""
        self._reader_left = True
        while not self._chunks.empty():
            self._chunks.get_nowait()


def declared_length(head: Response) -> int | None:
    """Return the Content-Length of an answer in octets, or None where it has none."""
    length = head.fields.get("content-length")
    return int(length) if length and length.isascii() and length.isdigit() else None
