"""The shared store, with a part of it in this node's memory.

What is in memory is used as long as the engine has told of no change. If the engine cannot be used, it is used all the
same, and small responses are stored in memory only, until the engine is back: then everything is read again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import islice
from threading import Lock

from cache.rules.stored_response import StoredResponse
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.base import DamagedEntry, Extent, StoredBody, StoreError, StoreStatistics
from cache.stores.bodies import BytesBody
from cache.stores.encoded_entries import admitted, encoded
from cache.stores.listing import Listing, Selection, listing_of
from cache.stores.purge_scopes import Scope
from cache.stores.redis.bodies import Bodies
from cache.stores.redis.connection import EngineError
from cache.stores.redis.engine import Engine, EngineOptions, checked
from cache.stores.redis.invalidation import Invalidation
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.lost_changes import LostChanges
from cache.stores.redis.purge_log import PurgeLog, texts_of
from cache.stores.redis.recency import Location, Recency
from cache.stores.redis.shared_generations import SharedGenerations
from cache.stores.redis.shared_rows import Changed, RowOptions, SharedRows
from cache.stores.redis.spool import Spool
from cache.stores.redis.walk import Walk, covered_in, sum_of
from cache.stores.redis.writer import RedisWriter
from cache.stores.supersession import superseded
from cache.stores.tiered.memory_tier import KeyState, MemoryTier
from cache.stores.whole_copy import WholeCopy, copy_of

logger = logging.getLogger(__name__)

COUNTING = 1.0
"""Seconds for which a purge counts and deletes what it covers. It is true before that, and for all of it."""


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """The way in which the shared store is used."""

    engine: EngineOptions
    prefix: str
    """The beginning of all its names in the engine."""
    lifetime: float
    """Seconds that a response is kept after it was stored or validated."""
    max_body: int
    """Limit for one body, in bytes. The engine itself limits the whole."""
    memory_size: int
    """Limit for this node's memory, in bytes."""
    max_object: int
    """Limit for one body in memory, in bytes."""
    captures: int = 1
    """Number of states of a response that are kept over time."""


class RedisStore:
    """Stored responses on Redis or Valkey, shared by all nodes that use the same engine and prefix.

    Attributes:
        memory: What is in this node's memory.
    """

    def __init__(self, options: RedisOptions, on_state: Callable[[str | None], None] = lambda _problem: None) -> None:
        """Begin to connect. `on_state` is called, on a thread of the store, with why the engine cannot be used."""
        self._options = options
        self.names = names = KeyNames(options.prefix)
        self.generations = SharedGenerations()
        self.generations.purges = self._purges = PurgeLog(names.purges, options.lifetime, self.generations)
        self._lost_changes = LostChanges(names)
        self.invalidation = Invalidation(names, self.generations, self._purges, self._lost_changes)
        self.invalidation.on_state = on_state
        self.engine = self.invalidation.engine = Engine(options.engine, names, self.invalidation)
        self._bodies = Bodies(self.engine, names, options.lifetime)
        self._rows = SharedRows(
            self.engine,
            names,
            self._bodies,
            RowOptions(options.lifetime, options.captures),
            purges=self._purges,
            generations=self.generations,
            lost_changes=self._lost_changes,
        )
        self._lock = Lock()
        self.memory = MemoryTier(options.memory_size, (), self.generations)
        self.recency = Recency(self.engine, self.generations, self._names_of)
        self.evictions = 0
        """Always 0: the engine evicts."""

    def _names_of(self, location: Location) -> list[str]:
        return [self.names.row(location.key), *self._bodies.names(location)]

    def _is_usable(self, key: str) -> bool:
        """Return whether the engine can be used for a key."""
        return self.engine.is_usable(self.names.row(key))

    # ---- methods that never wait

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return all entries under a key from memory; none if the engine cannot be used; else None."""
        known = self.memory.variants(key)
        return () if known is None and not self._is_usable(key) else known

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return the whole body of an entry from memory, or None."""
        return self.memory.body(entry)

    def peek_whole(self, key: str) -> WholeCopy | tuple[()] | None:
        """Return the only response under a key with its body from memory, an empty tuple as `peek` does, else None."""
        match self.peek(key):
            case ():
                return ()
            case (entry,) if (body := self.memory.body(entry)) is not None:
                return copy_of(entry, body)
        return None

    def touch(self, entry_id: str) -> None:
        """Record that an entry was used just now. The engine hears of it later."""
        self.recency.note(entry_id)

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:
        """Return None, since the engine has to be waited for. While it cannot be used, store a small entry in memory.

        Raises:
            Overtaken: it was purged since it was asked for.
            StoreError: nothing was stored.
        """
        if len(body) > self._options.max_object or self._is_usable(entry.key):
            return None
        if not entry.sha256:
            entry = entry.with_body(len(body), sha256(body).hexdigest())
        stored, data = encoded(entry)
        with self._lock:
            number = self._purges.number()
            if number is None:
                raise StoreError("there was a purge that the engine could not tell yet")
            stored, _ = admitted(stored, data, self._purges)
            known = self.memory.variants(entry.key) or ()
            if stored.id in [each.id for each in known]:
                raise StoreError(f"the id {stored.id} is taken")
            ended = {*replaces, *superseded(stored, known, self._options.captures)}
            variants = (stored, *(each for each in known if each.id not in ended))[:MAX_VARIANTS]
            self._put_alone(entry.key, variants, number, body)
        return stored

    def try_update(self, entry: StoredResponse) -> bool | None:
        """Return None, since the engine has to be waited for. While it cannot be used, update memory."""
        if self._is_usable(entry.key):
            return None
        with self._lock:
            number, known = self._purges.number(), self.memory.variants(entry.key)
            if number is None or known is None:
                return False
            stored = next((each for each in known if each.id == entry.id), None)
            if stored is None or stored.revision != entry.revision - 1:
                return False
            updated, _ = encoded(entry.with_body(stored.length, stored.sha256))
            variants = tuple(updated if each is stored else each for each in known)
            self._put_alone(entry.key, variants, number)
        return True

    def call_when_committed(self, _key: str, _call: Callable[[], None], /) -> bool:
        """Return false: all nodes see every change when it was made."""
        return False

    def commit(self) -> None:
        """Do nothing: all nodes see every change when it was made."""

    def commit_soon(self) -> None:
        """Do nothing: all nodes see every change when it was made."""

    # ---- methods that may wait

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return all stored responses under a primary key, most recently stored first. Raises StoreError."""
        if (known := self.memory.variants(key)) is not None:
            return known
        generation = self.generations.stable_value(self.generations.slot(key))
        row = self._rows.read(key)
        variants = tuple(entry for entry, _ in row.variants)
        with self._lock:
            self._put(key, Changed(variants, row.number, generation))
        return variants

    def _put(self, key: str, changed: Changed, stored: StoredResponse | None = None, body: bytes | None = None) -> None:
        """Keep in memory what is under a key, unless it has changed since. The lock must be held."""
        self.recency.know(changed.variants)
        if changed.generation is None:
            return
        slot, state = self.generations.slot(key), KeyState(changed.generation, changed.number, changed.variants)
        if changed.generation == self.generations.stable_value(slot):
            self.memory.put(key, slot, state, {stored.id: body} if stored and body is not None else {})

    def _put_alone(
        self, key: str, variants: tuple[StoredResponse, ...], number: int, body: bytes | None = None
    ) -> None:
        """Keep in memory what the engine does not have, until it is used again. The lock must be held.

        `body` is that of the first entry.
        """
        self._lost_changes.note_kept(key)
        self._put(key, Changed(variants, number, self.generations.own_change(key)), variants[0], body)
        if self._is_usable(key):  # since just now, perhaps without a look at this note
            self.generations.own_change(key)

    def open(self, entry: StoredResponse) -> StoredBody:
        """Open the body of an entry; a body from the engine is checked. Raises DamagedEntry, StoreError."""
        if (data := self.memory.body(entry)) is not None:
            return BytesBody(data)
        try:
            body = self._bodies.open(entry)
        except DamagedEntry:
            self.delete(entry.key, [entry.id])
            raise
        if entry.length <= self._options.max_object:
            with closing(body):
                data = body.read(0, body.length)
            with self._lock:
                self.memory.put_body(entry, data)
            return BytesBody(data)
        return body

    def writer(self) -> RedisWriter:
        """Begin a new body."""
        return RedisWriter(self._insert, self._options.max_body)

    def _insert(self, entry: StoredResponse, body: bytes | Spool, replaces: Iterable[str]) -> StoredResponse:
        if self.recency.is_taken(entry):
            raise StoreError(f"the id {entry.id} is taken")
        data = body if isinstance(body, bytes) else None
        if data is None and isinstance(body, Spool) and body.length <= self._options.max_object:
            data = body.read(0, body.length)
        if data is not None and (kept := self.keep(entry, data, replaces)):
            return kept
        stored, changed = self._rows.insert(entry, body if data is None else data, replaces, self.recency.last_use)
        with self._lock:
            self._put(entry.key, changed, stored, data)
        return stored

    def update(self, entry: StoredResponse) -> bool:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`. Raises StoreError."""
        if (revised := self.try_update(entry)) is not None:
            return revised
        changed = self._rows.update(entry)
        with self._lock:
            self._put(entry.key, changed)
        return bool(changed.count)

    def invalidate(self, key: str) -> int:
        """Mark all entries under a key as needing validation. Return their number."""
        return self._removed(key, lambda: self._rows.invalidate(key, lambda _: True))

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Invalidate the entries that `fits` accepts, of keys with a prefix. Return their number. Raises StoreError."""
        found = [row.key for row in self._walk().rows() if row.key.startswith(prefix) and any(map(fits, row.entries))]
        return sum(self._removed(key, partial(self._rows.invalidate, key, fits)) for key in found)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, all or only those with these ids. Return their number."""
        ids = None if ids is None else list(ids)
        return self._removed(key, lambda: self._rows.delete(key, ids))

    def _removed(self, key: str, remove: Callable[[], Changed]) -> int:
        """Remove something of a key, now or, if the engine cannot be used, here and now, and there later."""
        try:
            changed = remove()
        except EngineError:
            with self._lock:
                count = len(self.memory.variants(key) or ())
                self.memory.drop(key)
                self.generations.note_removal()
                self.generations.own_change(key)
            return count
        self.generations.note_removal()
        with self._lock:
            self._put(key, changed)
        return changed.count

    def holds(self, prefix: str) -> bool:
        """Return whether anything is stored under a key with this prefix. Raises StoreError."""
        return any(row.key.startswith(prefix) for row in self._walk().rows())

    def _walk(self) -> Walk:
        self._rows.know_purges()
        return Walk(self.engine, self.names, self._bodies, self._purges)

    # ---- purges

    def purge(self, scopes: Sequence[Scope]) -> Extent:
        """Purge what these scopes, all hard or all soft, cover. All nodes know it as soon as the engine has told them.

        What is covered is counted and deleted after that, for a second at most. The rest is never used again, and the
        engine evicts it, or its life ends.

        Raises:
            StoreError: nothing is purged; if it is an EngineError, that is not known, since its reply may be late.
        """
        self._rows.know_purges()
        walk = Walk(self.engine, self.names, self._bodies, self._purges.copied())
        replies = self.engine.run(
            self.names.purges, [self._purges.adding(texts_of(scopes)), self._purges.reading()], self._purges.read_last
        )
        checked(replies)
        extents = []
        try:
            for page in _within(COUNTING, walk.pages(scopes)):
                extent, whole = covered_in(page, scopes)
                extents.append(extent)
                if not scopes[0].soft:
                    walk.delete(whole)
        except StoreError as error:
            logger.warning("what was purged could not be counted or deleted: %s", error)
        return sum_of(extents)

    def measure(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and size of what a purge of these scopes would cover. Raises StoreError."""
        return sum_of([covered_in(page, scopes)[0] for page in self._walk().pages(scopes)])

    # ---- the whole

    def entries(self, after: str = "") -> Iterator[StoredResponse]:
        """Iterate over the entries of all keys, or of those behind one, ordered by key. Raises StoreError."""
        for key in sorted([row.key for row in self._walk().rows() if row.key > after]):
            yield from [entry for entry, _ in self._rows.read(key).variants]

    def listing(self, selection: Selection) -> Listing:
        """Return a list of the entries that a walk finds first, see `ResponseStore`. Raises StoreError."""
        rows = self._walk().rows()
        entries = [entry for row in islice(rows, selection.compared) for entry in row.entries]
        return listing_of(entries, selection, self.recency.last_use, is_sample=next(rows, None) is not None)

    def statistics(self) -> StoreStatistics:
        """Return number and size of the entries, without those that other programs have there. Raises StoreError."""
        count = size = 0
        for row in self._walk().rows():
            count, size = count + len(row.entries), size + row.size
        return StoreStatistics(count, size, None)

    def free_space(self) -> int:
        """Return the limit for one body: the engine makes room for it."""
        return self._options.max_body

    def close(self) -> None:
        """End the connections."""
        self.recency.close()
        self.engine.close()


def _within[T](seconds: float, items: Iterator[T]) -> Iterator[T]:
    """Yield items until so many seconds have passed."""
    end = time.monotonic() + seconds
    for item in items:
        yield item
        if time.monotonic() > end:
            return
