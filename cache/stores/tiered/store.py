"""A store on disk with memory in front: frequent entries are read, and small ones are stored, without waiting.

Memory has the entries under a key together with the generation at which they were read. A small change is visible at
once and on the disk within a tenth of a second. If the process is killed, only such changes are lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from threading import Lock

from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.base import Extent, StoredBody, StoreStatistics
from cache.stores.bodies import BytesBody
from cache.stores.disk.disk_writer import DiskWriter
from cache.stores.disk.entry_transaction import EntryTransaction
from cache.stores.disk.spool import Spool
from cache.stores.disk.store import DiskStore
from cache.stores.encoded_entries import admitted, encoded
from cache.stores.listing import Listing, Selection
from cache.stores.purge_scopes import Scope
from cache.stores.supersession import superseded
from cache.stores.tiered.memory_tier import KeyState, MemoryTier, cost_of
from cache.stores.tiered.write_behind import Change, Write, WriteBehind
from cache.stores.whole_copy import WholeCopy, copy_of

_PENDING = 6
"""Bytes of memory that a pending entry takes for each byte of its encoded form."""


class TieredStore:
    """A store on disk, with its frequently used entries in memory.

    Attributes:
        memory: What is in memory.
    """

    def __init__(
        self,
        disk: DiskStore,
        memory_size: int,
        max_object: int,
        on_lost: Callable[[NotStored, int], None] = lambda _reason, _count: None,
    ) -> None:
        """Take over `disk`.

        Args:
            disk: the store on disk.
            memory_size: limit for the memory, in bytes.
            max_object: limit for one body in memory, in bytes.
            on_lost: called, on any thread, with reason and number of accepted responses that could not be written.
        """
        self._disk = disk
        self._max_object, self._max_small = max_object, min(max_object, disk.inline_max)
        self._notify_lost = on_lost
        self.generations = disk.generations
        self._lock = Lock()
        self._write_behind = WriteBehind(disk, memory_size, self._lock, self._on_written, self._on_lost)
        self.memory = MemoryTier(memory_size, self._write_behind.keys, self.generations)
        self._quick_reads = disk.quick_reads()

    # ---- methods that never wait

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return all entries under a key, from memory or by a quick read, else None. Never waits and never raises."""
        if (known := self.memory.variants(key)) is not None:
            return known
        with self._lock:
            slot = self.generations.slot(key)
            generation, last_purge = self.generations.stable_value(slot), self.generations.purges.number()
            if generation is None or last_purge is None or key in self._write_behind.keys:
                return None
            variants = self._quick_reads.candidates(key)
            if variants is not None:
                self.memory.put_if_current(key, slot, KeyState(generation, last_purge, variants))
            return variants

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return the body of an entry, from memory or by a quick read, else None. Never waits and never raises."""
        body = self.memory.body(entry)
        if body is None and entry.length <= self._max_small and (body := self._quick_reads.body(entry)) is not None:
            with self._lock:
                self.memory.put_body(entry, body)
        return body

    def peek_whole(self, key: str) -> WholeCopy | tuple[()] | None:
        """Return the only response under a key with its body, from memory or by one quick read.

        An empty tuple if nothing is stored under the key, None if a thread has to read it or there are several.
        """
        match self.memory.variants(key):
            case ():
                return ()
            case (entry,) if (body := self.memory.body(entry)) is not None:
                return copy_of(entry, body)
            case None if key not in self._write_behind.keys:
                return self._quick_reads.whole(key)
        return None

    def touch(self, entry_id: str) -> None:
        """Record that an entry was used just now."""
        self._disk.touch(entry_id)

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:
        """Store a small entry. Return it with `length` and `sha256` set, or None if it must wait. Raises StoreError."""
        if len(body) > self._max_small:
            return None
        if not entry.sha256:
            entry = entry.with_body(len(body), sha256(body).hexdigest())
        stored, data = encoded(entry)
        replaced, size, now = set(replaces), _PENDING * len(data) + len(body), time.time()
        with self._lock:
            # before the entries are looked up
            last_purge, removals = self.generations.purges.number(), self.generations.removal_version()
            if stored.last_purge is not None and stored.last_purge != last_purge:
                stored, data = admitted(stored, data, self.generations.purges)
            known = self.memory.variants(entry.key)
            if known is None or last_purge is None or not self._write_behind.has_room(size):
                return None
            if stored.id in [each.id for each in known]:
                return None
            ended = replaced | superseded(stored, known, self._disk.captures) if known else replaced
            kept = [each for each in known if each.id not in ended]
            if len(kept) >= MAX_VARIANTS:
                oldest = min(reversed(kept), key=lambda each: max(each.stored_at, self._disk.last_use(each.id)))
                kept.remove(oldest)
                replaced.add(oldest.id)
            self._change(
                self._new_change(
                    stored.key,
                    last_purge,
                    size,
                    lambda transaction: transaction.insert(stored, data, body, replaced, now),
                    tags=stored.tags,
                    removals=removals,
                ),
                (stored, *kept),
                {stored.id: body},
            )
        return stored

    def try_update(self, entry: StoredResponse) -> bool | None:
        """Return the result of `update`, or None if that must wait for the disk. Raises StoreError."""
        with self._lock:
            last_purge = self.generations.purges.number()  # before the entries are looked up
            known = self.memory.variants(entry.key)
            if known is None or last_purge is None or not self._write_behind.has_room(0):
                return None
            stored = next((each for each in known if each.id == entry.id), None)
            if stored is None or stored.revision != entry.revision - 1:
                return False
            updated, data = encoded(entry.with_body(stored.length, stored.sha256))
            variants = tuple(updated if each is stored else each for each in known)
            sole_variant = data if len(known) == 1 and updated.tags == stored.tags else None
            self._change(
                self._new_change(
                    entry.key,
                    last_purge,
                    cost_of(updated),
                    lambda transaction: transaction.update(updated, sole_variant),
                    tags=f"{stored.tags}\n{updated.tags}",
                ),
                variants,
                {},
            )
            return True

    def call_when_committed(self, key: str, call: Callable[[], None]) -> bool:
        """Call a function, on any thread, when the changes under a key are on the disk. Return false if they are."""
        with self._lock:
            return self._write_behind.call_when_written(key, call)

    def commit(self) -> None:
        """Wait until other processes see the changes made so far."""
        self._write_behind.flush()

    def commit_soon(self) -> None:
        """Let other processes see the changes made so far as soon as possible. Never waits."""
        with self._lock:
            self._write_behind.write_soon()

    def _change(self, change: Change, variants: tuple[StoredResponse, ...], bodies: Mapping[str, bytes]) -> None:
        """Make a change in memory, and add it to those that will be written."""
        self._write_behind.add(change)
        self.memory.put(change.key, change.slot, KeyState(change.base, change.last_purge, variants), bodies)
        self.generations.note_local_change(change.slot)

    def _new_change(
        self, key: str, last_purge: int, size: int, write: Write, *, tags: str, removals: int | None = None
    ) -> Change:
        cached = self.memory.get(key)
        slot, base = (cached.slot, cached.state.generation) if cached else (self.generations.slot(key), 0)
        return Change(key, slot, base=base, last_purge=last_purge, size=size, write=write, tags=tags, removals=removals)

    # ---- called after a batch was written, with the lock held

    def _on_written(self, transaction: EntryTransaction) -> None:
        """Give memory the entries that are now on the disk, except under keys with further pending changes."""
        generation, last_purge = transaction.generation, transaction.last_purge
        for key, variants in transaction.results.items():
            cached = self.memory.get(key)
            if cached is None:
                continue
            if generation is None:
                self.memory.drop(key)
            elif key in self._write_behind.keys or variants == cached.state.variants:
                cached.state = KeyState(generation, cached.state.last_purge, cached.state.variants)
            elif variants:
                self.memory.put(key, cached.slot, KeyState(generation, last_purge, variants))
            else:
                self.memory.drop(key)

    def _on_lost(self, keys: list[str], reason: NotStored) -> None:
        """Remove from memory the keys of changes that were not written."""
        for key in keys:
            self.memory.drop(key)
            self.generations.note_local_change(self.generations.slot(key))
        self._notify_lost(reason, len(keys))

    # ---- methods that may wait

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return all stored responses under a primary key, most recently stored first. Raises StoreError."""
        if (known := self.memory.variants(key)) is not None:
            return known
        self._flush_key(key)
        slot = self.generations.slot(key)
        generation, last_purge = self.generations.stable_value(slot), self.generations.purges.number()
        variants = self._disk.candidates(key)
        if generation is not None and last_purge is not None:
            with self._lock:
                self.memory.put_if_current(key, slot, KeyState(generation, last_purge, variants))
        return variants

    def open(self, entry: StoredResponse) -> StoredBody:
        """Open the body of an entry; a body from the disk is checked. Raises DamagedEntry, StoreError."""
        if (data := self.memory.body(entry)) is not None:
            return BytesBody(data)
        self._flush_key(entry.key)
        body = self._disk.open(entry)
        if entry.length > self._max_object:
            return body
        with closing(body):
            data = body.read(0, body.length)
        with self._lock:
            self.memory.put_body(entry, data)
        return BytesBody(data)

    def writer(self) -> DiskWriter:
        """Begin a new body."""
        return self._disk.writer(self._insert)

    def _insert(self, entry: StoredResponse, body: bytes | Spool, replaces: Iterable[str]) -> None:
        replaced = set(replaces)
        if isinstance(body, bytes):
            if self.keep(entry, body, replaced):
                return
            # Too many changes are pending, or memory does not have the entries under the key
            self._write_behind.flush()
            self.candidates(entry.key)
            if self.keep(entry, body, replaced):
                return
        self._flush_key(entry.key)
        self._disk.insert(entry, body, replaced)

    def _flush_key(self, key: str) -> None:
        """Wait until no change is pending under a key."""
        if key in self._write_behind.keys:
            self._write_behind.flush()

    def update(self, entry: StoredResponse) -> bool:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`. Raises StoreError."""
        if (revised := self.try_update(entry)) is not None:
            return revised
        self._flush_key(entry.key)
        return self._disk.update(entry)

    def invalidate(self, key: str) -> int:
        """Mark all entries under a key as needing validation. Return their number. Raises StoreError."""
        self._flush_key(key)
        return self._disk.invalidate(key)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Invalidate the entries that `fits` accepts, of keys with a prefix. Return their number. Raises StoreError."""
        self._write_behind.flush()
        return self._disk.invalidate_where(prefix, fits)

    def holds(self, prefix: str) -> bool:
        """Return whether anything is stored under a key with this prefix. Raises StoreError."""
        self._write_behind.flush()
        return self._disk.holds(prefix)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, all or only those with these ids. Return their number. Raises StoreError."""
        self._flush_key(key)
        return self._disk.delete(key, ids)

    def purge(self, scopes: Sequence[Scope]) -> Extent:
        """Purge what these scopes, all hard or all soft, cover; see `ResponseStore`. Raises StoreError."""
        self._write_behind.flush()
        return self._disk.purge(scopes)

    def measure(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and size of what a purge of these scopes would cover. Raises StoreError."""
        self._write_behind.flush()
        return self._disk.measure(scopes)

    def problem(self) -> str | None:
        """Return why the store must be opened again (its files were removed, replaced or damaged), or None."""
        return self._disk.problem()

    def try_to_write(self) -> None:
        """Write to the database and to a file. Raises StoreError if either fails."""
        self._disk.try_to_write()

    def entries(self, after: str = "") -> Iterator[StoredResponse]:
        """Iterate over the entries of all keys, or of those behind one, ordered by key. Raises StoreError."""
        self._write_behind.flush()
        yield from self._disk.entries(after)

    def listing(self, selection: Selection) -> Listing:
        """Return a list of the entries, see `ResponseStore`."""
        self._write_behind.flush()
        return self._disk.listing(selection)

    def last_use_of(self, entry: StoredResponse) -> float | None:
        """Return when an entry last answered a request, as far as the disk knows, see `DiskStore.last_use_of`."""
        return self._disk.last_use_of(entry)

    def statistics(self) -> StoreStatistics:
        """Return number and size of the entries. Raises StoreError."""
        self._write_behind.flush()
        return self._disk.statistics()

    def free_space(self) -> int:
        """Return how many bytes may still be stored before entries are evicted, see `ResponseStore`."""
        return self._disk.free_space()

    @property
    def evictions(self) -> int:
        """Number of entries that this process has deleted from the disk to make room, since it opened the store."""
        return self._disk.evictions

    def close(self) -> None:
        """Write pending changes and close the files."""
        self._write_behind.close()
        self._quick_reads.close()
        self._disk.close()
