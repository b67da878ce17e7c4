"""The store on disk: survives restarts, shared by processes and threads, bounded, and never believed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from threading import Lock

from cache.codec import CodecError, decode_variants, encode_variants
from cache.entry import StoredResponse
from cache.stores.base import MAX_VARIANTS, DamagedEntry, StoreError, StoreStatistics, superseded
from cache.stores.bodies import FileBody, OctetsBody
from cache.stores.directory import open_rows
from cache.stores.disk_writer import DiskWriter
from cache.stores.memory import is_of_host
from cache.stores.octets_disk import RowError
from cache.stores.recency import Recency
from cache.stores.spool import Spool
from cache.stores.sweep import SPOOLS
from cache.stores.transaction import Transaction, transaction

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_MOST_VERIFIED = 100_000


class DiskStore:
    """Stored responses in a directory, at most `max_size` octets of them; the least recently used go first."""

    def __init__(
        self,
        directory: Path,
        max_size: int,
        inline_max: int = 65_536,
        *,
        captures: int = 1,
        lock_timeout: float = 10.0,
        touch_delay: float = 5.0,
    ) -> None:
        """Open the store and sweep what a killed process left; a damaged database is set aside.

        Args:
            directory: made if missing, with access for this user alone.
            max_size: octets of bodies and records.
            inline_max: octets up to which a body lives in the database; a larger one is a file.
            captures: states of one response that are kept over time.
            lock_timeout: seconds that a write waits for other processes.
            touch_delay: seconds until uses are written, so that other processes' eviction sees them.

        Raises:
            StoreError: the directory cannot be used.
        """
        self._rows, self._claim = open_rows(directory.absolute(), lock_timeout)
        self._spools = directory.absolute() / SPOOLS
        self._max_size, self._inline_max, self._captures = max_size, inline_max, captures
        self._verified: dict[str, None] = {}
        self._verified_lock = Lock()
        self._recency = Recency(self._flush, touch_delay)

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return every stored response under that primary key, most recently stored first. Raises StoreError."""
        with self._rows.failures():
            variants = self._variants(key)
        if variants is None:
            logger.warning("a damaged record was deleted: %s", key.partition("?")[0])
            self.delete(key)
        return variants or ()

    def open(self, entry: StoredResponse) -> OctetsBody | FileBody:
        """Open an entry's body, its length and (once a process) its digest checked.

        Raises:
            DamagedEntry: the body is gone or altered; the entry has been deleted.
            StoreError: the store cannot be read.
        """
        with self._rows.failures():
            body = self._intact_body(entry)
        if body is None:
            self.delete(entry.key, [entry.id])
            raise DamagedEntry(f"the stored body {entry.id} was missing or altered")
        return body

    def writer(self) -> DiskWriter:
        """Begin a new body."""
        return DiskWriter(self._spools, self._insert, self._max_size, self._inline_max)

    def update(self, entry: StoredResponse) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`; tell whether it was.

        Raises:
            StoreError: nothing changed.
        """
        with transaction(self._rows) as changes:
            variants = self._variants(entry.key) or ()
            stored = next((each for each in variants if each.id == entry.id), None)
            if stored is None or stored.revision != entry.revision - 1:
                return False
            updated = replace(entry, length=stored.length, sha256=stored.sha256)
            self._write(changes, entry.key, [updated if each is stored else each for each in variants])
            return True

    def invalidate(self, key: str) -> int:
        """Mark every entry under a key as needing validation. Returns how many. Raises StoreError."""
        return self._invalidate(key, lambda _: True)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries that fit, among those whose key begins so. Returns how many. Raises StoreError."""
        return sum(self._invalidate(key, fits) for key in self._keys(prefix))

    def _invalidate(self, key: str, fits: Callable[[StoredResponse], bool]) -> int:
        with self._rows.failures():
            if not any(map(fits, self._variants(key) or ())):
                return 0
        with transaction(self._rows) as changes:
            variants = self._variants(key) or ()
            # A new revision, so that a 304 to a request sent before cannot undo the mark
            marked = [replace(each, invalid=True, revision=each.revision + 1) for each in variants if fits(each)]
            latest = {each.id: each for each in (*variants, *marked)}
            self._write(changes, key, list(latest.values()))
            return len(marked)

    def touch(self, entry: StoredResponse) -> None:
        """Note that an entry was used; written with the next insertion or some seconds later."""
        self._recency.note(entry.id)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, or only those named. Returns how many. Raises StoreError."""
        doomed = None if ids is None else set(ids)
        with transaction(self._rows) as changes:
            variants = self._variants(key) or ()
            kept = [each for each in variants if doomed is not None and each.id not in doomed]
            self._write(changes, key, kept)
            return len(variants) - len(kept)

    def delete_host(self, host: str) -> int:
        """Delete every entry of a host, whatever scheme and port. Returns how many. Raises StoreError."""
        return sum(self.delete(key) for key in self._keys() if is_of_host(key, host))

    def clear(self) -> int:
        """Delete everything. Returns how many entries. Raises StoreError."""
        with transaction(self._rows) as changes:
            count = self._rows.body_count()
            changes.clear()
            return count

    def entries(self) -> Iterator[StoredResponse]:
        """Iterate over all entries, ordered by key; damaged ones are deleted and left out. Raises StoreError."""
        for key in self._keys():
            yield from self.candidates(key)

    def statistics(self) -> StoreStatistics:
        """Return what the store holds. Raises StoreError."""
        with self._rows.failures():
            return StoreStatistics(self._rows.body_count(), self._rows.octets_in_use(), self._max_size)

    def close(self) -> None:
        """Write what was batched and let go of files."""
        self._recency.stop()
        self._flush()
        self._rows.close_all()
        self._claim.close()

    def _keys(self, prefix: str = "") -> Iterator[str]:
        with self._rows.failures():
            yield from self._rows.keys(prefix)

    def _insert(self, entry: StoredResponse, body: bytes | Spool, replaces: Iterable[str]) -> None:
        """Store an entry with its body. Raises StoreError; then nothing was stored and nothing replaced."""
        replaced = set(replaces)
        with transaction(self._rows) as changes:
            changes.touch(self._recency.take())
            variants = self._variants(entry.key) or ()
            replaced |= superseded(entry, variants, self._captures)
            present = [each for each in changes.bodies_of(entry.key) if each not in replaced]
            kept = present[-(MAX_VARIANTS - 1) :]  # the most recently used
            changes.put_body(entry.id, entry.key, body)
            self._write(changes, entry.key, [entry, *(each for each in variants if each.id in kept)])
            self._evict(changes)

    def _variants(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return the entries under a key, or None if their row is damaged."""
        try:
            octets = self._rows.head(key)
            variants = decode_variants(octets) if octets is not None else ()
        except (RowError, CodecError):
            return None
        return variants if all(each.key == key for each in variants) else None

    def _write(self, changes: Transaction, key: str, entries: Sequence[StoredResponse]) -> None:
        """Make these entries and their bodies all there is under a key."""
        if entries:
            changes.put_head(key, encode_variants(entries))
        else:
            changes.drop_head(key)
        changes.drop_bodies(key, but=[each.id for each in entries])

    def _evict(self, changes: Transaction) -> None:
        while self._rows.octets_in_use() > self._max_size and (oldest := changes.pop_least_recently_used()):
            entry_id, key = oldest
            self._write(changes, key, [each for each in self._variants(key) or () if each.id != entry_id])

    def _intact_body(self, entry: StoredResponse) -> OctetsBody | FileBody | None:
        try:
            held = self._rows.body(entry.id)
        except RowError:
            return None
        if held is None:
            return None
        body = FileBody(held, lambda: self._forget(entry)) if isinstance(held, FileIO) else OctetsBody(held)
        intact = False
        try:
            intact = body.length == entry.length and self._verify(entry, body)
        finally:
            if not intact:
                body.close()
        return body if intact else None

    def _verify(self, entry: StoredResponse, body: OctetsBody | FileBody) -> bool:
        """Tell whether the digest is right; it is computed once for each entry in this process."""
        if entry.id in self._verified:
            return True
        digest = hashlib.sha256()
        for start in range(0, body.length, _CHUNK):
            digest.update(body.read(start, min(start + _CHUNK, body.length)))
        if digest.hexdigest() != entry.sha256:
            return False
        with self._verified_lock:
            self._verified[entry.id] = None
            if len(self._verified) > _MOST_VERIFIED:
                del self._verified[next(iter(self._verified))]
        return True

    def _forget(self, entry: StoredResponse) -> None:
        with suppress(StoreError):  # a body cut short while it is read: the reader is told in any case
            self.delete(entry.key, [entry.id])

    def _flush(self) -> None:
        """Write when entries were used last. A failure loses that, and nothing else."""
        if used := self._recency.take():
            try:
                with transaction(self._rows) as changes:
                    changes.touch(used)
            except StoreError as error:
                logger.warning("when entries were used last was not written: %s", error)
