"""A store in memory: nothing survives the process. It also shows what every other store must do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from threading import RLock

from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse
from cache.stores.base import MAX_VARIANTS, DamagedEntry, StoreError, StoreStatistics, superseded
from cache.stores.bodies import BytesBody
from cache.stores.codec import CodecError, encode
from cache.stores.generations import private_generations


@dataclass(slots=True)
class _Held:
    entry: StoredResponse
    body: bytes
    size: int
    """Octets this takes: the body and the encoded head."""
    used: int
    """Grows with every use of any entry: the smallest is the least recently used."""


class MemoryStore:
    """Stored responses in memory, at most `max_size` octets of them; the least recently used go first."""

    def __init__(self, max_size: int, captures: int = 1) -> None:
        self.max_size = max_size
        self._captures = captures
        self._lock = RLock()
        self._held: OrderedDict[str, _Held] = OrderedDict()  # by id, least recently used first
        self._ids: dict[str, tuple[str, ...]] = {}  # by primary key, most recently stored first
        self._size = 0
        self._uses = count()
        self.generations = private_generations()

    def peek(self, key: str) -> tuple[StoredResponse, ...]:
        """Return what `candidates` does."""
        return self.candidates(key)

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's body."""
        held = self._held.get(entry.id)
        return held.body if held else None

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store an entry with its body and return it completed. Raises StoreError."""
        stored = replace(entry, length=len(body), sha256=sha256(body).hexdigest())
        self._insert(stored, body, replaces)
        return stored

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return every stored response under that primary key, most recently stored first."""
        with self._lock:
            return tuple(self._held[each].entry for each in self._ids.get(key, ()))

    def open(self, entry: StoredResponse) -> BytesBody:
        """Open an entry's body. Raises DamagedEntry if it has been deleted."""
        held = self._held.get(entry.id)
        if held is None:
            raise DamagedEntry(f"the stored body {entry.id} is gone")
        return BytesBody(held.body)

    def writer(self) -> MemoryWriter:
        """Begin a new body."""
        return MemoryWriter(self)

    def revise(self, entry: StoredResponse) -> bool:
        """Do what `update` does."""
        return self.update(entry)

    def _insert(self, entry: StoredResponse, body: bytes, replaces: Iterable[str]) -> None:
        """Store an entry with its body. Raises StoreError; then nothing was stored and nothing replaced."""
        size = _encoded_size(entry) + len(body)
        if size > self.max_size:
            raise StoreError(f"{size} octets do not fit into a store of {self.max_size}")
        with self._lock:
            if entry.id in self._held:
                raise StoreError(f"the id {entry.id} is taken")
            self._drop(each.id for each in self._named(entry.key, replaces))
            self._drop(superseded(entry, self.candidates(entry.key), self._captures))
            variants = self._ids.get(entry.key, ())
            if len(variants) == MAX_VARIANTS:
                self._drop([min(variants, key=lambda each: self._held[each].used)])
            self._held[entry.id] = _Held(entry, body, size, next(self._uses))
            self._ids[entry.key] = (entry.id, *self._ids.get(entry.key, ()))
            self._size += size
            self._changed(entry.key)
            self._evict()

    def update(self, entry: StoredResponse) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`; tell whether it was.

        Raises:
            StoreError: the head is not fit to be stored.
        """
        size = _encoded_size(entry)
        with self._lock:
            held = self._held.get(entry.id)
            if held is None or held.entry.key != entry.key or held.entry.revision != entry.revision - 1:
                return False
            held.entry = replace(entry, length=held.entry.length, sha256=held.entry.sha256)
            self._size += size + len(held.body) - held.size
            held.size = size + len(held.body)
            self._changed(entry.key)
            self._evict()
            return True

    def invalidate(self, key: str) -> int:
        """Mark every entry under a key as needing validation. Returns how many."""
        with self._lock:
            variants = self.candidates(key)
            for entry in variants:
                # A new revision, so that a 304 to a request sent before cannot undo the mark
                self._held[entry.id].entry = replace(entry, invalid=True, revision=entry.revision + 1)
            self._changed(key)
            return len(variants)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries that fit, among those whose key begins so. Returns how many."""
        with self._lock:
            marked = [held for held in self._held.values() if held.entry.key.startswith(prefix) and fits(held.entry)]
            for held in marked:
                held.entry = replace(held.entry, invalid=True, revision=held.entry.revision + 1)
                self._changed(held.entry.key)
            return len(marked)

    def touch(self, entry_id: str) -> None:
        """Note that an entry was used."""
        with self._lock:
            if held := self._held.get(entry_id):
                held.used = next(self._uses)
                self._held.move_to_end(entry_id)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, or only those named. Returns how many."""
        with self._lock:
            return self._drop(each.id for each in self._named(key, ids))

    def delete_host(self, host: str) -> int:
        """Delete every entry of a host, whatever scheme and port. Returns how many."""
        with self._lock:
            return sum(self.delete(key) for key in list(self._ids) if is_of_host(key, host))

    def clear(self) -> int:
        """Delete everything. Returns how many entries."""
        with self._lock:
            return self._drop(list(self._held))

    def entries(self) -> Iterator[StoredResponse]:
        """Iterate over all entries, ordered by key."""
        with self._lock:
            keys = sorted(self._ids)
        for key in keys:
            yield from self.candidates(key)

    def statistics(self) -> StoreStatistics:
        """Return what the store holds."""
        with self._lock:
            return StoreStatistics(entries=len(self._held), size=self._size, max_size=self.max_size)

    def close(self) -> None:
        """Do nothing: there is nothing to write."""

    def _named(self, key: str, ids: Iterable[str] | None) -> list[StoredResponse]:
        names = None if ids is None else set(ids)
        return [entry for entry in self.candidates(key) if names is None or entry.id in names]

    def _changed(self, key: str) -> None:
        self.generations.end_change([self.generations.slot(key)])

    def _evict(self) -> None:
        while self._size > self.max_size:
            self._drop([next(iter(self._held))])

    def _drop(self, ids: Iterable[str]) -> int:
        dropped = [self._held.pop(each) for each in ids]
        for held in dropped:
            key = held.entry.key
            self._size -= held.size
            self._ids[key] = tuple(each for each in self._ids[key] if each != held.entry.id)
            if not self._ids[key]:
                del self._ids[key]
            self._changed(key)
        return len(dropped)


class MemoryWriter:
    """A body on its way into memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._octets: bytes | bytearray | None = bytearray()
        self._done = False

    def write(self, chunk: bytes) -> None:
        """Append octets. Raises StoreError if they do not fit."""
        octets = self._open()
        octets += chunk
        if len(octets) > self._store.max_size:
            self.abort()
            raise StoreError(f"the body does not fit into a store of {self._store.max_size} octets")

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive) of those written so far. Raises StoreError."""
        if self._octets is None or stop > len(self._octets):
            raise StoreError(f"octets {start} to {stop} are not there")
        return bytes(self._octets[start:stop])

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the octets written and return it completed. Raises StoreError."""
        body = bytes(self._open())
        self.abort()
        stored = self._store.keep(entry, body, replaces)
        self._octets = body
        return stored

    def abort(self) -> None:
        """Let go of the octets; what was stored stays."""
        self._octets = None
        self._done = True

    def _open(self) -> bytearray:
        if self._done or not isinstance(self._octets, bytearray):
            raise StoreError("this body was committed, aborted or refused before")
        return self._octets


def is_of_host(key: str, host: str) -> bool:
    """Tell whether a primary key is a URI of that host, however the host is spelled."""
    try:
        return request_for(key).host == host.lower().removesuffix(".").strip("[]")
    except ValueError:
        return False


def _encoded_size(entry: StoredResponse) -> int:
    try:
        return len(encode(entry))
    except CodecError as error:
        raise StoreError(f"the entry cannot be stored: {error}") from error
