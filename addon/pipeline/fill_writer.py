"""A body on its way into the store: written, committed or given up, and read back while it is still coming."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.scrubbing_writer import Unscrubbable
from addon.pipeline.single_flight import Flight, FlightResult
from addon.runtime.counters import Counters
from cache.engine.decisions import Store
from cache.http.messages import Response
from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse
from cache.stores.base import BodyWriter, StoredBody, StoreError

logger = logging.getLogger(__name__)


class FillWriter:
    """What becomes of one body in the store.

    Attributes:
        active: It is still to be stored.
        readable: That many octets from its beginning can be read back.
    """

    def __init__(
        self,
        outcome: Store,
        writer: BodyWriter,
        flight: Flight,
        stored: AsyncStore,
        counters: Counters,
        max_object: int,
    ) -> None:
        self.active = True
        self.readable = 0
        self._outcome = outcome
        self._writer = writer
        self._flight = flight
        self._stored = stored
        self._counters = counters
        self._max_object = max_object
        self._written = 0
        self._stored_entry: StoredResponse | None = None
        self._body: StoredBody | None = None
        self._place = asyncio.Lock()
        self._read: Callable[[int, int], bytes] | None = writer.read

    async def write(self, chunk: bytes) -> None:
        """Append octets, as long as they are to be stored."""
        if not self.active:
            return
        if self._written + len(chunk) > self._max_object:
            self.give_up(NotStored.TOO_LARGE, f"more than {self._max_object} octets")
            return
        try:
            await self._stored.run(self._writer.write, chunk)
        except Unscrubbable as error:
            self.give_up(NotStored.UNSCRUBBABLE, str(error))
            return
        except StoreError as error:
            self.give_up(NotStored.STORE_FAILED, str(error))
            return
        self._written += len(chunk)
        if self._read is not None:
            self.readable = self._written

    async def commit(self, *, being_read: bool) -> None:
        """Store what was written, unless it was given up or purged meanwhile; keep it open if it is `being_read`."""
        if not self.active:
            return
        async with self._place, self._stored.commits:
            if self._flight.purged:
                self.give_up(NotStored.OVERTAKEN, "purged meanwhile")
                return
            entry = replace(self._outcome.entry, invalid=self._flight.invalidated)
            if reason := await self._stored.commit(self._writer, entry, self._outcome.replaces):
                self.readable = 0
                self.give_up(reason, "at the end")
                return
            self.active = False
            if not self._outcome.secrets:  # else what is stored may be less than what is being passed on
                self._read, self._stored_entry = None, entry
                if being_read:  # before anything else is stored, which it may have to make room for
                    with suppress(StoreError):
                        await self._reopen(entry)
            self._flight.end(FlightResult.STORED)

    def give_up(self, reason: NotStored, why: str) -> None:
        """Do not store it. What is written can be read until `release`."""
        if not self.active:
            return
        self.active = False
        self._flight.end(FlightResult.NOT_SHARED)
        self._counters.count(f"not_stored.{reason}")
        logger.info("%s not stored: %s (%s)", self._outcome.entry.target, reason, why)

    async def read(self, start: int, stop: int) -> bytes:
        """Return octets that were written. Raises StoreError if they are gone."""
        async with self._place:
            if self._stored_entry and self._body is None:
                await self._reopen(self._stored_entry)
        if self._read is None:
            raise StoreError("what was stored of a body that is being passed on is gone")
        return await self._stored.run(self._read, start, stop)

    async def _reopen(self, entry: StoredResponse) -> None:
        """Read on from what is stored now: the writer is done."""
        for stored in await self._stored.candidates(entry.key):
            if stored.id == entry.id:
                self._body = await self._stored.open(stored)
                self._read = self._body.read

    async def release(self) -> None:
        """Let go of what nobody reads any more; what was not committed is forgotten."""
        self._read, body, self._body = None, self._body, None
        with suppress(StoreError):
            await self._stored.run(self._writer.abort)
            if body is not None:
                await self._stored.run(body.close)


def declared_length(head: Response) -> int | None:
    """Return the Content-Length of an answer in octets, or None where it has none."""
    length = head.fields.get("content-length")
    return int(length) if length and length.isascii() and length.isdigit() else None
