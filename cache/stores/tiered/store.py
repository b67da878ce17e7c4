"""Memory before a store on disk: what is used often is answered, and what is small is stored, without waiting for it.

What is stored under a key is in memory together with the generation at which that was so. Small changes are in memory
at once, and on the disk within a tenth of a second; a process that is killed loses no more than those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from threading import Lock

from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse
from cache.stores.base import MAX_VARIANTS, StoredBody, StoreStatistics, superseded
from cache.stores.bodies import BytesBody
from cache.stores.disk.disk_writer import DiskWriter
from cache.stores.disk.editing import Editing, encoded
from cache.stores.disk.spool import Spool
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.memory_tier import MemoryTier, cost_of
from cache.stores.tiered.write_behind import Change, Write, WriteBehind


class TieredStore:
    """A store on disk, and in memory what of it is used often."""

    def __init__(
        self,
        disk: DiskStore,
        memory_size: int,
        max_object: int,
        lost: Callable[[NotStored, int], None] = lambda _reason, _count: None,
    ) -> None:
        """Take over `disk`, and use `memory_size` octets of memory, none of them for bodies above `max_object`.

        `lost` is called, on some thread, when responses could not be written that had been taken.
        """
        self._disk = disk
        self._max_object, self._small = max_object, min(max_object, disk.inline_max)
        self._note_lost = lost
        self.generations = disk.generations
        self._lock = Lock()
        self._behind = WriteBehind(disk, memory_size, self._lock, self._adopt, self._forget)
        self._memory = MemoryTier(memory_size, self._behind.keys, self.generations)
        self._quick = disk.quick_reads()

    # ---- without waiting

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return what is stored under a key if memory or a quick disk can tell. Never waits and never raises."""
        if (known := self._memory.variants(key)) is not None:
            return known
        with self._lock:
            slot = self.generations.slot(key)
            generation = self.generations.settled(slot)
            if generation is None or key in self._behind.keys:
                return None
            variants = self._quick.candidates(key)
            if variants is not None:
                self._memory.put_if_current(key, slot, generation, variants)
            return variants

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's whole body if memory or a quick disk has it. Never waits and never raises."""
        octets = self._memory.body(entry)
        if octets is None and entry.length <= self._small and (octets := self._quick.body(entry)) is not None:
            with self._lock:
                self._memory.put_body(entry, octets)
        return octets

    def touch(self, entry_id: str) -> None:
        """Note that an entry was used."""
        self._disk.touch(entry_id)

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:
        """Store a small entry and return it completed; None if that needs waiting for the disk. Raises StoreError."""
        if len(body) > self._small:
            return None
        if not entry.sha256:
            entry = entry.with_body(len(body), sha256(body).hexdigest())
        stored, octets = encoded(entry)
        gone, size, now = set(replaces), cost_of(stored) + len(body), time.time()
        with self._lock:
            known = self._memory.variants(entry.key)
            if known is None or not self._behind.has_room(size):
                return None
            ended = gone | superseded(stored, known, self._disk.captures)
            kept = [each for each in known if each.id not in ended]
            if len(kept) >= MAX_VARIANTS or any(each.id == stored.id for each in known):
                return None
            self._change(
                stored.key,
                (stored, *kept),
                size,
                lambda editing: editing.insert(stored, octets, body, gone, now),
                {stored.id: body},
            )
        return stored

    def revise(self, entry: StoredResponse) -> bool | None:
        """Do what `update` does if that needs no waiting for the disk, else return None. Raises StoreError."""
        with self._lock:
            known = self._memory.variants(entry.key)
            if known is None or not self._behind.has_room(0):
                return None
            stored = next((each for each in known if each.id == entry.id), None)
            if stored is None or stored.revision != entry.revision - 1:
                return False
            updated, octets = encoded(entry.with_body(stored.length, stored.sha256))
            variants = tuple(updated if each is stored else each for each in known)
            alone = octets if len(known) == 1 else None
            self._change(entry.key, variants, cost_of(updated), lambda editing: editing.update(updated, alone), {})
            return True

    def _change(
        self, key: str, variants: tuple[StoredResponse, ...], octets: int, write: Write, bodies: Mapping[str, bytes]
    ) -> None:
        """Make a change visible here, and have it written soon."""
        held = self._memory.get(key)
        slot, base = (held.slot, held.state[0]) if held else (self.generations.slot(key), 0)
        self._behind.add(Change(key, slot, base, octets, write))
        self._memory.put(key, slot, base, variants, bodies)
        self.generations.change_here(slot)

    # ---- after a batch was written; the lock is held

    def _adopt(self, editing: Editing) -> None:
        """Go by what the disk says now, except for what has changed here meanwhile."""
        generation = editing.generation
        for key, variants in editing.results.items():
            held = self._memory.get(key)
            if held is None:
                continue
            if generation is None:
                self._memory.drop(key)
            elif key in self._behind.keys or variants == held.state[1]:
                held.state = (generation, held.state[1])
            elif variants:
                self._memory.put(key, held.slot, generation, variants)
            else:
                self._memory.drop(key)

    def _forget(self, keys: list[str], reason: NotStored) -> None:
        for key in keys:
            self._memory.drop(key)
            self.generations.change_here(self.generations.slot(key))
        self._note_lost(reason, len(keys))

    # ---- on a thread that may wait

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return every stored response under that primary key, most recently stored first. Raises StoreError."""
        if (known := self._memory.variants(key)) is not None:
            return known
        self._write_what_waits(key)
        slot = self.generations.slot(key)
        generation = self.generations.settled(slot)
        variants = self._disk.candidates(key)
        if generation is not None:
            with self._lock:
                self._memory.put_if_current(key, slot, generation, variants)
        return variants

    def open(self, entry: StoredResponse) -> StoredBody:
        """Open an entry's body, its length and (once a process) its digest checked. Raises DamagedEntry, StoreError."""
        if (octets := self._memory.body(entry)) is not None:
            return BytesBody(octets)
        self._write_what_waits(entry.key)
        body = self._disk.open(entry)
        if entry.length > self._max_object:
            return body
        with closing(body):
            octets = body.read(0, body.length)
        with self._lock:
            self._memory.put_body(entry, octets)
        return BytesBody(octets)

    def writer(self) -> DiskWriter:
        """Begin a new body."""
        return self._disk.writer(self._insert)

    def _insert(self, entry: StoredResponse, body: bytes | Spool, replaces: Iterable[str]) -> None:
        named = set(replaces)
        if isinstance(body, bytes):
            if self.keep(entry, body, named):
                return
            self._behind.flush()  # too much waits, or the disk knows more
            self.candidates(entry.key)
            if self.keep(entry, body, named):
                return
        self._write_what_waits(entry.key)
        self._disk.insert(entry, body, named)

    def _write_what_waits(self, key: str) -> None:
        if key in self._behind.keys:
            self._behind.flush()

    def update(self, entry: StoredResponse) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`. Raises StoreError."""
        if (revised := self.revise(entry)) is not None:
            return revised
        self._write_what_waits(entry.key)
        return self._disk.update(entry)

    def invalidate(self, key: str) -> int:
        """Mark every entry under a key as needing validation. Returns how many. Raises StoreError."""
        self._write_what_waits(key)
        return self._disk.invalidate(key)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries that fit, among those whose key begins so. Returns how many. Raises StoreError."""
        self._behind.flush()
        return self._disk.invalidate_where(prefix, fits)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, or only those named. Returns how many. Raises StoreError."""
        self._write_what_waits(key)
        return self._disk.delete(key, ids)

    def delete_host(self, host: str) -> int:
        """Delete every entry of a host, whatever scheme and port. Returns how many. Raises StoreError."""
        self._behind.flush()
        return self._disk.delete_host(host)

    def clear(self) -> int:
        """Delete everything. Returns how many entries. Raises StoreError."""
        self._behind.flush()
        return self._disk.clear()

    def entries(self) -> Iterator[StoredResponse]:
        """Iterate over all entries, ordered by key. Raises StoreError."""
        self._behind.flush()
        yield from self._disk.entries()

    def statistics(self) -> StoreStatistics:
        """Return what the store holds. Raises StoreError."""
        self._behind.flush()
        return self._disk.statistics()

    def close(self) -> None:
        """Write what waits and let go of files."""
        self._behind.close()
        self._quick.close()
        self._disk.close()
