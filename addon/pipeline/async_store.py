"""The store as the event loop sees it: from memory at once, else on a thread of its own; every failure counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from addon.pipeline.scrubbing_writer import ScrubbingWriter, Unscrubbable, scrubbed
from addon.pipeline.single_flight import Flight
from addon.runtime.counters import Counters
from cache.engine.decisions import Change, Delete, Invalidate, InvalidateGroups, Update
from cache.policy.reasons import NotStored
from cache.rules.digests import is_contradicted
from cache.rules.groups import groups
from cache.rules.stored_response import StoredResponse
from cache.stores.base import BodyWriter, GenerationTable, ResponseStore, StoredBody, StoreError
from cache.stores.bodies import BytesBody

logger = logging.getLogger(__name__)

THREADS = 4
"""Never shared with name resolution or TLS: a slow disk must not stop either."""


class AsyncStore:
    """A store behind threads."""

    def __init__(self, store: ResponseStore, counters: Counters) -> None:
        self.store = store
        self._counters = counters
        self.commits = asyncio.Lock()
        """Held while something is committed or purged, so that neither overlooks the other."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")

    async def run[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `call` returns, from a store thread. Raises what it raises."""
        future = self._threads.submit(call, *args, **kwargs)
        # who is no longer waited for must have been: a body that was to be closed is
        return await asyncio.shield(asyncio.wrap_future(future))

    @property
    def generations(self) -> GenerationTable:
        """What tells that something under a key has changed."""
        return self.store.generations

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return the stored responses under a key, or None where only the disk knows. Never waits."""
        return self.store.peek(key)

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's whole body, for use, if that needs no thread. Never waits."""
        octets = self.store.peek_body(entry)
        if octets is not None:
            self.store.touch(entry.id)
        return octets

    async def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return the stored responses under a key; none where the store cannot be read."""
        if (known := self.store.peek(key)) is not None:
            return known
        try:
            return await self.run(self.store.candidates, key)
        except StoreError as error:
            self._failed("read", error)
            return ()

    async def open(self, entry: StoredResponse) -> StoredBody:
        """Open a body. Raises StoreError."""
        if (octets := self.peek_body(entry)) is not None:
            return BytesBody(octets)
        try:
            body = await self.run(self.store.open, entry)
        except StoreError as error:
            self._failed("read", error)
            raise
        self.store.touch(entry.id)
        return body

    async def writer(self, secrets: frozenset[str] = frozenset()) -> BodyWriter | None:
        """Begin a body, or return None where the store takes nothing; `secrets` never reach it (see `keep`)."""
        if secrets:
            return ScrubbingWriter(self.store, secrets)
        try:
            return await self.run(self.store.writer)
        except StoreError as error:
            self._failed("write", error)
            return None

    async def keep(
        self,
        entry: StoredResponse,
        body: bytes,
        replaces: tuple[str, ...],
        flight: Flight | None = None,
        secrets: frozenset[str] = frozenset(),
    ) -> NotStored | None:
        """Store a response whose body is whole.

        Args:
            entry: Its head.
            body: What it is stored with.
            replaces: The ids of what it takes the place of.
            flight: Nothing is stored if what was purged meanwhile is this one's.
            secrets: Lower-case names of members of JSON whose values are taken out of the body before.

        Returns:
            Why it was not stored, or None if it was. Does not suspend where memory suffices, no purge is under way, and
            there are no secrets.
        """
        entry = entry.with_body(len(body), sha256(body).hexdigest())
        if is_contradicted(entry):
            return NotStored.DIGEST_MISMATCH
        if secrets:
            try:
                entry, body = await self.run(scrubbed, entry, body, secrets)
            except Unscrubbable as error:
                return self._unscrubbable(entry, error)
        async with self.commits:
            if flight and flight.purged:
                return NotStored.OVERTAKEN
            if flight and flight.invalidated:
                entry = entry.with_body(entry.length, entry.sha256, invalid=True)
            try:
                if not self.store.keep(entry, body, replaces):
                    await self.run(self._write, entry, body, replaces)
            except StoreError as error:
                self._failed("write", error)
                return NotStored.STORE_FAILED
        self._counters.count("stored")
        return None

    def _write(self, entry: StoredResponse, body: bytes, replaces: tuple[str, ...]) -> None:
        writer = self.store.writer()
        try:
            writer.write(body)
            writer.commit(entry, replaces)
        finally:
            writer.abort()

    async def commit(self, writer: BodyWriter, entry: StoredResponse, replaces: tuple[str, ...]) -> NotStored | None:
        """Store a response whose octets are written. Return why it was not stored after all, or None if it was."""
        try:
            stored = await self.run(writer.commit, entry, replaces)
            if not is_contradicted(stored):
                self._counters.count("stored")
                return None
            await self.run(self.store.delete, stored.key, [stored.id])
        except Unscrubbable as error:
            return self._unscrubbable(entry, error)
        except StoreError as error:
            self._failed("write", error)
            return NotStored.STORE_FAILED
        return NotStored.DIGEST_MISMATCH

    async def apply(self, changes: tuple[Change, ...]) -> None:
        """Carry out what an answer says about stored responses; a store that cannot is logged."""
        for change in changes:
            try:
                if not (isinstance(change, Update) and self._revised(change)):
                    await self.run(self._apply, change)
            except StoreError as error:
                self._failed("write", error)

    def _revised(self, change: Update) -> bool:
        """Update a stored head if memory suffices for that; tell whether it did."""
        revised = self.store.revise(change.entry)
        if revised and not change.entry.invalid:
            self._counters.count("freshened")
        return revised is not None

    def _apply(self, change: Change) -> None:
        match change:
            case Update(entry):
                if self.store.update(entry) and not entry.invalid:
                    self._counters.count("freshened")
            case Invalidate(key):
                self.store.invalidate(key)
            case InvalidateGroups(origin, names):
                self.store.invalidate_where(origin, lambda entry: not names.isdisjoint(groups(entry.head.fields)))
            case Delete(entry):
                self.store.delete(entry.key, [entry.id])

    def _unscrubbable(self, entry: StoredResponse, error: Unscrubbable) -> NotStored:
        logger.info("%s: %s", entry.target, error)
        return NotStored.UNSCRUBBABLE

    def _failed(self, what: str, error: StoreError) -> None:
        self._counters.count(f"failures.store-{what}")
        logger.warning("store: cannot %s: %s", what, error)

    def close(self) -> None:
        """Finish what the threads are doing and close the store."""
        self._threads.shutdown()
        self.store.close()
