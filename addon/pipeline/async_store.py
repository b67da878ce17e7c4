"""The store for the event loop: memory at once, the disk on threads; every failure is counted and logged."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import islice

from addon.pipeline.flight import Flight
from addon.pipeline.open_bodies import OpenBodies, SharedBody
from addon.pipeline.scrubbing_writer import ScrubbingError, ScrubbingWriter, scrubbed
from addon.pipeline.store_condition import StoreCondition, StoreState
from addon.runtime.counters import Counters
from cache.engine.decisions import Change, Delete, Invalidate, InvalidateGroups, Update
from cache.policy.reasons import NotCompressed, NotStored
from cache.rules.digests import is_contradicted
from cache.rules.groups import groups
from cache.rules.stored_response import StoredResponse
from cache.stores.base import BodyWriter, GenerationTable, Overtaken, ResponseStore, StoredBody, StoreError
from cache.stores.bodies import BytesBody
from cache.stores.whole_copy import WholeCopy

logger = logging.getLogger(__name__)

THREADS = 4
"""Threads of the store alone: a slow disk must not hold up name resolution or TLS."""

SLICE = 25
"""Responses that are looked up at a time for a list; between two slices, requests of clients go on."""


class AsyncStore:
    """Calls a synchronous store on threads of its own.

    Attributes:
        on_stored: Called on the event loop with each response that was stored.
    """

    def __init__(self, store: ResponseStore, counters: Counters, condition: StoreCondition | None = None) -> None:
        self.sync_store = store  # replaced by StoreWatch only
        self.condition = condition or StoreCondition()
        self.on_stored: Callable[[StoredResponse], None] = lambda _entry: None
        self._counters = counters
        self.commits = asyncio.Lock()
        """Held during a commit, and while fetches under way are marked, so that neither overlooks the other."""
        self._calls: deque[Callable[[], None]] = deque()
        self._calls_scheduled = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
        self._open_bodies = OpenBodies(self._close_file)

    async def run[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function on a store thread, and return its result. Raises what it raises."""
        future = self._threads.submit(call, *args, **kwargs)
        # shielded, since a cancelled caller must not leave a body open that was to be closed
        return await asyncio.shield(asyncio.wrap_future(future))

    async def run_in_slices[T](self, found: Iterator[T]) -> list[T]:
        """Return all that an iterator finds in the store, SLICE of it at a time. Raises what it raises."""
        everything: list[T] = []
        while some := await self.run(list, islice(found, SLICE)):
            everything += some
        return everything

    def call_when_committed(self, key: str, call: Callable[[], None]) -> bool:
        """Call a function on the event loop once other processes see all changes made so far under a key.

        Return false if they see them already: it is not called.
        """
        loop = asyncio.get_running_loop()
        return self.sync_store.call_when_committed(key, lambda: self._call_soon(loop, call))

    def _call_soon(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        """Have the event loop call a function, together with others that threads have for it."""
        self._calls.append(call)
        if not self._calls_scheduled:
            self._calls_scheduled = True
            with suppress(RuntimeError):  # the event loop has ended
                loop.call_soon_threadsafe(self._make_calls)

    def _make_calls(self) -> None:
        self._calls_scheduled = False  # first: what a thread adds from now on is called by the next pass, or by this
        while self._calls:
            self._calls.popleft()()

    def commit_soon(self) -> None:
        """Let other processes see the changes made so far as soon as possible. Does not wait."""
        self.sync_store.commit_soon()

    @property
    def generations(self) -> GenerationTable:
        """The table that tells whether something under a key has changed."""
        return self.sync_store.generations

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return the stored responses under a key, or None if only the disk knows. Does not wait."""
        return self.sync_store.peek(key)

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return the whole body of an entry and mark it used, or None if that takes a thread. Does not wait."""
        body = self.sync_store.peek_body(entry)
        if body is not None:
            self.sync_store.touch(entry.id)
        return body

    def peek_whole(self, key: str) -> WholeCopy | tuple[()] | None:
        """Return the only response under a key with its body; see `ResponseStore`. The caller marks it used."""
        return self.sync_store.peek_whole(key)

    async def holds(self, prefix: str) -> bool:
        """Return whether anything is stored under a key with this prefix; not if the store cannot be read."""
        try:
            return await self.run(self.sync_store.holds, prefix)
        except StoreError as error:
            self.failed("read", error)
            return False

    async def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return the stored responses under a key; none if the store cannot be read."""
        if (known := self.sync_store.peek(key)) is not None:
            return known
        try:
            return await self.run(self.sync_store.candidates, key)
        except StoreError as error:
            self.failed("read", error)
            return ()

    async def open(self, entry: StoredResponse) -> StoredBody:
        """Open a body and mark it used; `release` must be called for it. Raises StoreError."""
        body = await self.open_unused(entry)
        self.sync_store.touch(entry.id)
        return body

    async def open_unused(self, entry: StoredResponse) -> StoredBody:
        """Open a body like `open`, but not to answer a request from it, so that it does not count as used."""
        if (in_memory := self.sync_store.peek_body(entry)) is not None:
            return BytesBody(in_memory)
        body = self._open_bodies.find(entry.id)
        if body is None:
            opening = self._threads.submit(self.sync_store.open, entry)
            try:
                body = self._open_bodies.share(entry.id, await asyncio.shield(asyncio.wrap_future(opening)))
            except StoreError as error:
                self.failed("read", error)
                raise
            except asyncio.CancelledError:
                opening.add_done_callback(_close_opened)  # nobody else knows of it
                raise
        return body

    def release(self, body: StoredBody) -> None:
        """Close a body. Does not wait."""
        if isinstance(body, SharedBody):
            body.close()
        elif body.descriptor is not None:
            self._close_file(body)

    def _close_file(self, body: StoredBody) -> None:
        # on a thread, since the system frees the space of a deleted file when it is closed
        try:
            self._threads.submit(body.close)
        except RuntimeError:  # the threads have ended: the proxy stops
            body.close()

    async def writer(self, secrets: frozenset[str] = frozenset()) -> BodyWriter | None:
        """Return a writer for a new body, or None if the store takes nothing; `secrets` never reach it (see `keep`)."""
        if self.condition.state is StoreState.CLOSED:
            self._counters.count("failures.store-write")
            return None
        if secrets:
            return ScrubbingWriter(self.sync_store, secrets)
        try:
            return await self.run(self.sync_store.writer)
        except StoreError as error:
            self.failed("write", error)
            return None

    async def keep(
        self,
        entry: StoredResponse,
        body: bytes,
        replaces: tuple[str, ...],
        *,
        flight: Flight | None = None,
        secrets: frozenset[str] = frozenset(),
    ) -> NotStored | None:
        """Store a response whose body is complete.

        Args:
            entry: The head.
            body: The body.
            replaces: The ids of the stored responses that it replaces.
            flight: The fetch that brought it. The response is not stored if it was purged meanwhile.
            secrets: Lower-case names of members of JSON whose values are removed from the body before.

        Returns:
            Why it was not stored, or None if it was. Does not suspend if memory is enough, no purge is under way, and
            there are no secrets.
        """
        last_purge = flight.last_purge if flight else None
        entry = entry.with_body(len(body), sha256(body).hexdigest(), last_purge=last_purge)
        if is_contradicted(entry):
            return NotStored.DIGEST_MISMATCH
        if secrets:
            try:
                entry, body = await self.run(scrubbed, entry, body, secrets)
            except ScrubbingError as error:
                return self._unscrubbable(entry, error)
        async with self.commits:
            removals = self.generations.removal_version()  # before the flight is asked
            if flight and flight.invalidated:
                entry = entry.with_body(entry.length, entry.sha256, invalid=True)
            if reason := await self._keep(entry, body, replaces):
                return reason
            if self._may_be_outdated(entry, flight, removals):
                await self.apply((Invalidate(entry.key),))
        self._counters.count("stored")
        self.on_stored(entry)
        return None

    async def _keep(self, entry: StoredResponse, body: bytes, replaces: tuple[str, ...] = ()) -> NotStored | None:
        """Store an entry with its body, whose digest it has. Return why it was not stored, or None if it was."""
        try:
            if not self.sync_store.keep(entry, body, replaces):
                await self.run(self._write, entry, body, replaces)
        except Overtaken:
            return NotStored.OVERTAKEN
        except StoreError as error:
            self.failed("write", error)
            return NotStored.STORE_FAILED
        return None

    async def keep_form(self, entry: StoredResponse, form: StoredResponse, body: bytes) -> NotCompressed | None:
        """Store a coded form beside its response `entry`. Return why it was not stored, or None if it was."""
        form = form.with_body(len(body), sha256(body).hexdigest())
        async with self.commits:
            if all(stored.id != entry.id for stored in await self.candidates(entry.key)):
                return NotCompressed.OVERTAKEN
            return NotCompressed.STORE_FAILED if await self._keep(form, body) else None

    def keep_at_once(self, entry: StoredResponse, body: bytes, flight: Flight) -> bool:
        """Store a response with its body, whose digest the entry has, if that needs no waiting.

        Return whether it is stored; if not, `keep` may still do it. The caller counts it.
        """
        if self.commits.locked() or flight.invalidated:
            return False
        try:
            stored = self.sync_store.keep(entry, body)
        except StoreError:
            return False
        if stored is None:
            return False
        self.on_stored(stored)
        return True

    def _may_be_outdated(self, stored: StoredResponse, flight: Flight | None, removals: int) -> bool:
        """Return whether another process may have invalidated the key of a response while it was being stored.

        `removals` is the version of removals from before the flight was asked whether its key was invalidated. Without
        this, an invalidation between that question and the storing would be lost, if the storing waits for anything.
        """
        watched = flight is not None and flight.changed_elsewhere is not None
        return watched and not stored.invalid and removals != self.generations.removal_version()

    def _write(self, entry: StoredResponse, body: bytes, replaces: tuple[str, ...]) -> None:
        writer = self.sync_store.writer()
        try:
            writer.write(body)
            writer.commit(entry, replaces)
        finally:
            writer.abort()

    async def commit(
        self, writer: BodyWriter, entry: StoredResponse, replaces: tuple[str, ...], flight: Flight | None = None
    ) -> NotStored | None:
        """Store a response whose body is written, and which `flight` has brought.

        Return why it was not stored after all, or None if it was.
        """
        removals = self.generations.removal_version()  # before the flight is asked
        if flight:
            entry = replace(entry, invalid=flight.invalidated, last_purge=flight.last_purge)
        try:
            stored = await self.run(writer.commit, entry, replaces)
            if self._may_be_outdated(stored, flight, removals):
                await self.apply((Invalidate(stored.key),))
            if not is_contradicted(stored):
                self._counters.count("stored")
                self.on_stored(stored)
                return None
            await self.run(self.sync_store.delete, stored.key, [stored.id])
        except ScrubbingError as error:
            return self._unscrubbable(entry, error)
        except Overtaken:
            return NotStored.OVERTAKEN
        except StoreError as error:
            self.failed("write", error)
            return NotStored.STORE_FAILED
        return NotStored.DIGEST_MISMATCH

    async def apply(self, changes: tuple[Change, ...]) -> None:
        """Apply changes to stored responses; a change that fails is logged."""
        for change in changes:
            try:
                if not (isinstance(change, Update) and self._update_in_memory(change)):
                    await self.run(self._apply, change)
            except StoreError as error:
                self.failed("write", error)

    def _update_in_memory(self, change: Update) -> bool:
        """Update a stored head if the store can do that in memory; return whether it could."""
        revised = self.sync_store.try_update(change.entry)
        if revised and not change.entry.invalid:
            self._counters.count("freshened")
        return revised is not None

    def _apply(self, change: Change) -> None:
        match change:
            case Update(entry):
                if self.sync_store.update(entry) and not entry.invalid:
                    self._counters.count("freshened")
            case Invalidate(key):
                self.sync_store.invalidate(key)
            case InvalidateGroups(origin, names):
                self.sync_store.invalidate_where(origin, lambda entry: not names.isdisjoint(groups(entry.head.fields)))
            case Delete(entry):
                self.sync_store.delete(entry.key, [entry.id, *(form.id for form in entry.coded_forms)])

    def _unscrubbable(self, entry: StoredResponse, error: ScrubbingError) -> NotStored:
        logger.info("%s: %s", entry.target, error)
        return NotStored.UNSCRUBBABLE

    def failed(self, what: str, error: StoreError) -> None:
        """Count a failed operation: `what` is `read`, `write` or `purge`."""
        self._counters.count(f"failures.store-{what}")
        self.condition.note_failure(what, error)

    async def free_space(self) -> int:
        """Return how many bytes the store may still use before it evicts; none if it cannot be read."""
        try:
            return await self.run(self.sync_store.free_space)
        except StoreError:
            return 0

    def close(self) -> None:
        """Wait for the threads and close the store."""
        self._open_bodies.close()
        self._threads.shutdown()
        self.sync_store.close()


def _close_opened(opening: Future[StoredBody]) -> None:
    """Close a body that was opened, if it was."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
