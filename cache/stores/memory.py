"""A store in memory, which ends with the process. It is also the reference implementation of a store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from threading import RLock

from cache.rules.stored_response import StoredResponse
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.base import DamagedEntry, Extent, StoreError, StoreStatistics
from cache.stores.bodies import BytesBody
from cache.stores.codec import CodecError, encode
from cache.stores.generations import private_generations
from cache.stores.listing import Listing, Selection, listing_of
from cache.stores.purge_scopes import Scope
from cache.stores.supersession import superseded
from cache.stores.whole_copy import WholeCopy, copy_of


@dataclass(slots=True)
class _Item:
    """An entry with its body."""

    entry: StoredResponse
    body: bytes
    size: int
    """Bytes of the body and the encoded head."""
    used: int
    """Sequence number of the last use: the smallest is the least recently used."""


class MemoryStore:
    """Stored responses in memory, at most `max_size` bytes. The least recently used are evicted first."""

    def __init__(self, max_size: int, captures: int = 1) -> None:
        self.max_size = max_size
        self._captures = captures
        self._lock = RLock()
        self._items: OrderedDict[str, _Item] = OrderedDict()  # by id, least recently used first
        self._ids: dict[str, tuple[str, ...]] = {}  # by primary key, most recently stored first
        self._size = 0
        self._uses = count()
        self.generations = private_generations()
        self.evictions = 0

    def peek(self, key: str) -> tuple[StoredResponse, ...]:
        """Return the result of `candidates`."""
        return self.candidates(key)

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return the body of an entry, or None if it has been deleted."""
        item = self._items.get(entry.id)
        return item.body if item else None

    def peek_whole(self, key: str) -> WholeCopy | tuple[()] | None:
        """Return the only response under a key with its body, an empty tuple if there is none, else None."""
        match self.candidates(key):
            case ():
                return ()
            case (entry,) if (body := self.peek_body(entry)) is not None:
                return copy_of(entry, body)
        return None

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store an entry with its body. Return it with `length` and `sha256` set. Raises StoreError."""
        stored = replace(entry, length=len(body), sha256=sha256(body).hexdigest())
        self._insert(stored, body, replaces)
        return stored

    def call_when_committed(self, _key: str, _call: Callable[[], None], /) -> bool:
        """Return false: no other process sees this store."""
        return False

    def commit(self) -> None:
        """Do nothing: no other process sees this store."""

    def commit_soon(self) -> None:
        """Do nothing: no other process sees this store."""

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return all stored responses under a primary key, most recently stored first."""
        with self._lock:
            return tuple(self._items[each].entry for each in self._ids.get(key, ()))

    def open(self, entry: StoredResponse) -> BytesBody:
        """Open the body of an entry. Raises DamagedEntry if it has been deleted."""
        item = self._items.get(entry.id)
        if item is None:
            raise DamagedEntry(f"the stored body {entry.id} does not exist")
        return BytesBody(item.body)

    def writer(self) -> MemoryWriter:
        """Begin a new body."""
        return MemoryWriter(self)

    def try_update(self, entry: StoredResponse) -> bool:
        """Do what `update` does."""
        return self.update(entry)

    def _insert(self, entry: StoredResponse, body: bytes, replaces: Iterable[str]) -> None:
        """Store an entry with its body. Raises StoreError if it cannot; then nothing was stored or deleted."""
        size = _encoded_size(entry) + len(body)
        if size > self.max_size:
            raise StoreError(f"{size} bytes do not fit into a store of {self.max_size}")
        with self._lock:
            entry = self.generations.purges.admitted(entry)
            if entry.id in self._items:
                raise StoreError(f"the id {entry.id} is taken")
            self._drop(each.id for each in self._selected(entry.key, replaces))
            self._drop(superseded(entry, self.candidates(entry.key), self._captures))
            variants = self._ids.get(entry.key, ())
            if len(variants) == MAX_VARIANTS:
                self._drop([min(variants, key=lambda each: self._items[each].used)])
            self._items[entry.id] = _Item(entry, body, size, next(self._uses))
            self._ids[entry.key] = (entry.id, *self._ids.get(entry.key, ()))
            self._size += size
            self._note_change(entry.key)
            self._evict()

    def update(self, entry: StoredResponse) -> bool:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`. Return whether it was replaced.

        Raises:
            StoreError: the head must not be stored.
        """
        size = _encoded_size(entry)
        with self._lock:
            item = self._items.get(entry.id)
            if item is None or item.entry.key != entry.key or item.entry.revision != entry.revision - 1:
                return False
            item.entry = replace(entry, length=item.entry.length, sha256=item.entry.sha256)
            self._size += size + len(item.body) - item.size
            item.size = size + len(item.body)
            self._note_change(entry.key)
            self._evict()
            return True

    def invalidate(self, key: str) -> int:
        """Mark all entries under a key as needing validation. Return their number."""
        with self._lock:
            variants = self.candidates(key)
            for entry in variants:
                # A new revision, so that a 304 to an earlier request cannot remove the mark
                self._items[entry.id].entry = replace(entry, invalid=True, revision=entry.revision + 1)
            self._note_change(key)
            return len(variants)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Invalidate the entries that `fits` accepts, of keys with a prefix. Return their number."""
        with self._lock:
            marked = [item for item in self._items.values() if item.entry.key.startswith(prefix) and fits(item.entry)]
            for item in marked:
                item.entry = replace(item.entry, invalid=True, revision=item.entry.revision + 1)
                self._note_change(item.entry.key)
            return len(marked)

    def holds(self, prefix: str) -> bool:
        """Return whether anything is stored under a key with this prefix."""
        with self._lock:
            return any(item.entry.key.startswith(prefix) for item in self._items.values())

    def touch(self, entry_id: str) -> None:
        """Record that an entry was used just now."""
        with self._lock:
            if item := self._items.get(entry_id):
                item.used = next(self._uses)
                self._items.move_to_end(entry_id)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, all or only those with these ids. Return their number."""
        with self._lock:
            return self._drop(each.id for each in self._selected(key, ids))

    def purge(self, scopes: Sequence[Scope]) -> Extent:
        """Purge what these scopes, all hard or all soft, cover. Return number and size of it."""
        purges = self.generations.purges
        with self._lock:  # what was asked for before is judged by this when it is stored
            number = self.generations.last_purge()
            numbered = [(scope.text, number + each) for each, scope in enumerate(scopes, 1)]
            last = number + len(scopes)
            # nothing that is read is compared with them: all of it is gone or marked when this returns
            purges.learn(numbered, last, carried_out=range(number + 1, last + 1))
            self.generations.note_purge()
        copies = size = 0
        for key in self._keys(scopes):  # key by key, so that other threads can use the store in between
            with self._lock:
                purged = [item for item in self._items_of(key) if any(scope.covers(item.entry) for scope in scopes)]
                for item in purged:
                    copies, size = copies + 1, size + len(item.body)
                    self._purge(item, number)
        with self._lock:
            if purges.knows_too_many:
                purges.forget_old(last)
        return Extent(copies, size)

    def _purge(self, item: _Item, number: int) -> None:
        left = self.generations.purges.judged(item.entry, number)
        if left is None:
            self._drop([item.entry.id])
        else:
            item.entry = left
            self._note_change(left.key)

    def measure(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and size of what a purge of these scopes would cover."""
        sizes = [
            entry.length
            for key in self._keys(scopes)
            for entry in self.candidates(key)
            if any(scope.covers(entry) for scope in scopes)
        ]
        return Extent(len(sizes), sum(sizes))

    def _keys(self, scopes: Sequence[Scope]) -> list[str]:
        """Return the keys under which scopes may cover something."""
        with self._lock:
            if all(scope.key is not None for scope in scopes):
                return [scope.key for scope in scopes if scope.key in self._ids]
            keys = list(self._ids)
        return [key for key in keys if any(scope.may_cover(key) for scope in scopes)]

    def _items_of(self, key: str) -> list[_Item]:
        return [self._items[each] for each in self._ids.get(key, ())]

    def entries(self, after: str = "") -> Iterator[StoredResponse]:
        """Iterate over the entries of all keys, or of those behind one, ordered by key."""
        with self._lock:
            keys = sorted(key for key in self._ids if key > after)
        for key in keys:
            yield from self.candidates(key)

    def listing(self, selection: Selection) -> Listing:
        """Return a list of the entries, see `ResponseStore`."""
        with self._lock:
            items = list(self._items.values())
        used = {item.entry.id: float(item.used) for item in items}
        return listing_of([item.entry for item in items], selection, lambda entry: used[entry.id])

    def statistics(self) -> StoreStatistics:
        """Return number and size of the entries."""
        with self._lock:
            return StoreStatistics(entries=len(self._items), size=self._size, max_size=self.max_size)

    def free_space(self) -> int:
        """Return how many bytes may still be stored before entries are evicted."""
        with self._lock:
            return max(0, self.max_size - self._size)

    def close(self) -> None:
        """Do nothing: nothing is pending."""

    def _selected(self, key: str, ids: Iterable[str] | None) -> list[StoredResponse]:
        selected = None if ids is None else set(ids)
        return [entry for entry in self.candidates(key) if selected is None or entry.id in selected]

    def _note_change(self, key: str) -> None:
        self.generations.end_change([self.generations.slot(key)])

    def _evict(self) -> None:
        while self._size > self.max_size:
            self._drop([next(iter(self._items))])
            self.evictions += 1

    def _drop(self, ids: Iterable[str]) -> int:
        dropped = [self._items.pop(each) for each in ids]
        for item in dropped:
            key = item.entry.key
            self._size -= item.size
            self._ids[key] = tuple(each for each in self._ids[key] if each != item.entry.id)
            if not self._ids[key]:
                del self._ids[key]
            self._note_change(key)
        return len(dropped)


class MemoryWriter:
    """A body that is written to memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._data: bytes | bytearray | None = bytearray()
        self._done = False

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StoreError if they do not fit."""
        data = self._writable()
        data += chunk
        if len(data) > self._store.max_size:
            self.abort()
            raise StoreError(f"the body does not fit into a store of {self._store.max_size} bytes")

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive) of those written so far. Raises StoreError."""
        if self._data is None or stop > len(self._data):
            raise StoreError(f"bytes {start} to {stop} do not exist")
        return bytes(self._data[start:stop])

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the bytes written. Return it with `length` and `sha256` set. Raises StoreError."""
        body = bytes(self._writable())
        self.abort()
        stored = self._store.keep(entry, body, replaces)
        self._data = body
        return stored

    def abort(self) -> None:
        """Release the bytes. A committed entry stays stored."""
        self._data = None
        self._done = True

    def _writable(self) -> bytearray:
        if self._done or not isinstance(self._data, bytearray):
            raise StoreError("this body was already committed, aborted or refused")
        return self._data


def _encoded_size(entry: StoredResponse) -> int:
    try:
        return len(encode(entry))
    except CodecError as error:
        raise StoreError(f"the entry cannot be stored: {error}") from error
