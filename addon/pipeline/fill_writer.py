"""The store's side of a fill: writes one body, commits it, and reads it back for slow readers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.not_stored_log import NotStoredLog
from addon.pipeline.scrubbing_writer import ScrubbingError
from addon.pipeline.size_limit import SizeLimit
from cache.engine.decisions import Store
from cache.http.messages import Response
from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse
from cache.stores.base import BodyWriter, StoredBody, StoreError

MEASURED_EVERY = 4_194_304
"""Bytes of a large body after which the free space of the store is measured again."""


class FillWriter:
    """Writes the body of one fill into the store.

    Attributes:
        active: The body is still to be stored.
        readable: How many bytes from its beginning can be read back.
    """

    def __init__(
        self,
        *,
        outcome: Store,
        writer: BodyWriter,
        flight: Flight,
        store: AsyncStore,
        not_stored: NotStoredLog,
        size_limit: SizeLimit,
    ) -> None:
        self.active = True
        self.readable = 0
        self._outcome = outcome
        self._writer = writer
        self._flight = flight
        self._store = store
        self._not_stored = not_stored
        self._size_limit = size_limit
        self._written = 0
        self._allowed = size_limit.usual
        """Bytes up to which the size limit was asked."""
        self._stored_entry: StoredResponse | None = None
        self._body: StoredBody | None = None
        self._changing_source = asyncio.Lock()
        self._read: Callable[[int, int], bytes] | None = writer.read

    async def write(self, chunk: bytes) -> None:
        """Append bytes, as long as the body is to be stored."""
        if not self.active:
            return
        if not await self._has_room(self._written + len(chunk)):
            await self._size_limit.note_too_large(self._outcome.entry.target, self._written + len(chunk), whole=False)
            self.give_up(NotStored.TOO_LARGE, f"more than {self._written} bytes")
            return
        try:
            await self._store.run(self._writer.write, chunk)
        except ScrubbingError as error:
            self.give_up(NotStored.UNSCRUBBABLE, str(error))
            return
        except StoreError as error:
            self._store.failed("write", error)
            self.give_up(NotStored.STORE_FAILED, str(error))
            return
        self._written += len(chunk)
        if self._read is not None:
            self.readable = self._written

    async def _has_room(self, length: int) -> bool:
        """Return whether the body may have so many bytes. The store is asked only now and then."""
        if length > self._allowed:
            self._allowed = min(await self._size_limit.largest(), length + MEASURED_EVERY)
        return length <= self._allowed

    async def commit(self, *, being_read: bool) -> None:
        """Store the body unless it was given up or purged meanwhile; keep it open for readers if it is `being_read`."""
        if not self.active:
            return
        async with self._changing_source, self._store.commits:
            entry = self._outcome.entry
            if reason := await self._store.commit(self._writer, entry, self._outcome.replaces, self._flight):
                self.readable = 0
                self.give_up(reason, "at the end")
                return
            self.active = False
            if not self._outcome.secrets:  # else the stored body may be shorter than what readers get
                self._read, self._stored_entry = None, entry
                if being_read:  # before another response is stored that this one may have to make room for
                    with suppress(StoreError):
                        await self._reopen(entry)
            self._flight.end(FlightResult.STORED)

    def give_up(self, reason: NotStored, why: str) -> None:
        """Do not store the body. The bytes written so far can be read until `release`."""
        if not self.active:
            return
        self.active = False
        self._flight.end(FlightResult.NOT_SHARED)
        self._not_stored.gave_up(self._outcome.entry, self._outcome.handling, reason, why)

    async def read(self, start: int, stop: int) -> bytes:
        """Return bytes that were written. Raises StoreError if they are gone."""
        async with self._changing_source:
            if self._stored_entry and self._body is None:
                await self._reopen(self._stored_entry)
            if self._body is None:  # inside the lock, since a commit takes the bytes from the writer
                return await self._read_now(start, stop)
        return await self._read_now(start, stop)

    async def _read_now(self, start: int, stop: int) -> bytes:
        if self._read is None:
            raise StoreError("the stored part of a body that is being passed on is gone")
        return await self._store.run(self._read, start, stop)

    async def _reopen(self, entry: StoredResponse) -> None:
        """Read from the committed body from now on: the writer is done."""
        for stored in await self._store.candidates(entry.key):
            if stored.id == entry.id:
                self._body = await self._store.open_unused(stored)
                self._read = self._body.read

    async def release(self) -> None:
        """Close the body; what was not committed is deleted."""
        self._read, body, self._body = None, self._body, None
        if body is not None:  # first, since the task may be cancelled while it waits
            self._store.release(body)
        with suppress(StoreError):
            await self._store.run(self._writer.abort)


def declared_length(head: Response) -> int | None:
    """Return the Content-Length of a response in bytes, or None if it has none."""
    length = head.fields.get("content-length")
    return int(length) if length and length.isascii() and length.isdigit() else None
