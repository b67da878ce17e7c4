"""Memory before a store on disk: what is asked for often is answered without a look at the disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cache.entry import StoredResponse
from cache.stores.base import BodyWriter, StoredBody, StoreError, StoreStatistics
from cache.stores.bodies import OctetsBody
from cache.stores.disk import DiskStore


@dataclass(slots=True)
class _Held:
    variants: tuple[StoredResponse, ...]
    generation: int
    bodies: dict[str, bytes] = field(default_factory=dict)


class TieredStore:
    """A store on disk, and in memory what was lately used of it."""

    def __init__(self, disk: DiskStore, memory_size: int, max_object: int) -> None:
        """Keep up to `memory_size` octets in memory, and no body of more than `max_object`."""
        self._disk = disk
        self._memory_size = memory_size
        self._max_object = max_object
        self.generations = disk.generations
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return what is stored under a key, or None where only the disk knows. Never waits and never raises."""
        generation = self.generations.settled(self.generations.slot(key))
        if generation == 0:
            return ()
        held = self._held.get(key)
        return held.variants if held and held.generation == generation else None

    def body_at_hand(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's whole body if it is in memory. Never waits and never raises."""
        held = self._held.get(entry.key)
        return held.bodies.get(entry.id) if held else None

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:  # noqa: ARG002
        """Return None: it needs to wait for the disk."""
        return None

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return every stored response under that primary key, most recently stored first. Raises StoreError."""
        if (known := self.peek(key)) is not None:
            return known
        generation = self.generations.settled(self.generations.slot(key))
        variants = self._disk.candidates(key)
        if generation is not None:
            self._held[key] = _Held(variants, generation)
            while len(self._held) > 1000:
                with suppress(KeyError):
                    self._held.popitem(last=False)
        return variants

    def open(self, entry: StoredResponse) -> StoredBody:
        """Open an entry's body. Raises DamagedEntry, StoreError."""
        if (octets := self.body_at_hand(entry)) is not None:
            return OctetsBody(octets)
        body = self._disk.open(entry)
        held = self._held.get(entry.key)
        if held and entry.length <= self._max_object and entry in held.variants:
            held.bodies[entry.id] = body.read(0, body.length)
        return body

    def writer(self) -> BodyWriter:
        """Begin a new body. Raises StoreError."""
        return self._disk.writer()

    def update(self, entry: StoredResponse) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`. Raises StoreError."""
        return self._disk.update(entry)

    def invalidate(self, key: str) -> int:
        """Mark every entry under a key as needing validation. Returns how many. Raises StoreError."""
        return self._disk.invalidate(key)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries that fit, among those whose key begins so. Returns how many. Raises StoreError."""
        return self._disk.invalidate_where(prefix, fits)

    def touch(self, entry_id: str) -> None:
        """Note that an entry was used."""
        self._disk.touch(entry_id)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, or only those named. Returns how many. Raises StoreError."""
        return self._disk.delete(key, ids)

    def delete_host(self, host: str) -> int:
        """Delete every entry of a host, whatever scheme and port. Returns how many. Raises StoreError."""
        return self._disk.delete_host(host)

    def clear(self) -> int:
        """Delete everything. Returns how many entries. Raises StoreError."""
        return self._disk.clear()

    def entries(self) -> Iterator[StoredResponse]:
        """Iterate over all entries, ordered by key. Raises StoreError."""
        return self._disk.entries()

    def statistics(self) -> StoreStatistics:
        """Return what the store holds. Raises StoreError."""
        return self._disk.statistics()

    def close(self) -> None:
        """Write what was batched and let go of files."""
        with suppress(StoreError):
            self._disk.close()
