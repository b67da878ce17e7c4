"""The store on disk: survives restarts, shared by processes and threads, bounded, and never believed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, StoreError, StoreStatistics
from cache.stores.bodies import BytesBody, FileBody
from cache.stores.disk.bytes_disk import RowError
from cache.stores.disk.directory import close_rows, open_rows
from cache.stores.disk.disk_writer import DiskWriter, Insert
from cache.stores.disk.editing import Editing, encoded, variants_in
from cache.stores.disk.full_disk import FullDisk, is_full
from cache.stores.disk.quick_reads import QuickReads
from cache.stores.disk.recency import Recency
from cache.stores.disk.spool import Spool
from cache.stores.disk.sweep import SPOOLS, Sweeper, sweep
from cache.stores.disk.transaction import transaction
from cache.stores.disk.verification import Verification
from cache.stores.memory import is_of_host

logger = logging.getLogger(__name__)


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
        touch_delay: float = 60.0,
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
        self._directory = directory = directory.absolute()
        self._rows, self._claim, self._table = open_rows(directory, lock_timeout)
        self.generations = self._table.generations
        self._spools = directory / SPOOLS
        self._max_size = self._room = max_size
        self._full_disk = FullDisk(directory, self._rows, self.generations)
        self.inline_max, self.captures = inline_max, captures
        self._verification = Verification()
        self._recency = Recency(self._flush, touch_delay)
        self._sweeper = Sweeper(self.sweep)

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return nothing where surely nothing is stored, else None."""
        return () if self.generations.settled(self.generations.slot(key)) == 0 else None

    def peek_body(self, entry: StoredResponse) -> bytes | None:  # noqa: ARG002 - the protocol's signature
        """Return None: every body is on the disk."""
        return None

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:  # noqa: ARG002 - the protocol's signature
        """Return None: everything needs to wait for the disk."""
        return None

    def revise(self, entry: StoredResponse) -> None:
        """Return None: everything needs to wait for the disk."""

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return every stored response under that primary key, most recently stored first. Raises StoreError."""
        with self._rows.failures():
            variants = variants_in(self._rows, key)
        if variants is None:
            logger.warning("a damaged record was deleted: %s", key.partition("?")[0])
            self.delete(key)
        return tuple(entry for entry, _ in variants or ())

    def open(self, entry: StoredResponse) -> BytesBody | FileBody:
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

    def quick_reads(self) -> QuickReads:
        """Return what reads small rows without waiting. It is to be closed before the store."""
        return QuickReads(self._directory, self._verification)

    def writer(self, insert: Insert | None = None) -> DiskWriter:
        """Begin a new body, to be stored by `insert` if that is given."""
        return DiskWriter(self._spools, insert or self.insert, self.make_room, self._max_size, self.inline_max)

    def update(self, entry: StoredResponse) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`; tell whether it was.

        Raises:
            StoreError: nothing changed.
        """
        return self.edit(lambda editing: editing.update(entry))

    def invalidate(self, key: str) -> int:
        """Mark every entry under a key as needing validation. Returns how many. Raises StoreError."""
        return self._invalidate(key, lambda _: True)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries that fit, among those whose key begins so. Returns how many. Raises StoreError."""
        return sum(self._invalidate(key, fits) for key in self._keys(prefix))

    def _invalidate(self, key: str, fits: Callable[[StoredResponse], bool]) -> int:
        with self._rows.failures():
            if not any(fits(entry) for entry, _ in variants_in(self._rows, key) or ()):
                return 0
        return self.edit(lambda editing: editing.invalidate(key, fits))

    def touch(self, entry_id: str) -> None:
        """Note that an entry was used: known here at once, and written some while later."""
        self._recency.note(entry_id)

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, or only those named. Returns how many. Raises StoreError."""
        return self.edit(lambda editing: editing.delete(key, ids))

    def delete_host(self, host: str) -> int:
        """Delete every entry of a host, whatever scheme and port. Returns how many. Raises StoreError."""
        return sum(self.delete(key) for key in self._keys() if is_of_host(key, host))

    def clear(self) -> int:
        """Delete everything. Returns how many entries. Raises StoreError."""
        return self.edit(lambda editing: editing.clear())

    def edit[T](self, change: Callable[[Editing], T]) -> T:
        """Return what `change` returns, all of it done in one transaction.

        Raises:
            StoreError: nothing was changed.
        """
        try:
            return self._edit(change)
        except StoreError as error:
            if not is_full(error) or not self.make_room():
                raise
        return self._edit(change)

    def _edit[T](self, change: Callable[[Editing], T]) -> T:
        with transaction(self._rows, self.generations) as changes:
            editing = Editing(self._rows, changes, self.captures, self._recency.last_use)
            result = change(editing)
            editing.evict(self._room)
            return result

    def make_room(self) -> bool:
        """Delete some of what was not used for longest, for a disk that is full. Tell whether anything went.

        From then on no more is kept than there was room for.
        """
        room = self._full_disk.make_room()
        self._room = min(self._room, room or self._room)
        return room is not None

    def entries(self) -> Iterator[StoredResponse]:
        """Iterate over all entries, ordered by key; damaged ones are deleted and left out. Raises StoreError."""
        for key in self._keys():
            yield from self.candidates(key)

    def statistics(self) -> StoreStatistics:
        """Return what the store holds. Raises StoreError."""
        with self._rows.failures():
            return StoreStatistics(self._rows.body_count(), self._rows.octets_in_use(), self._max_size)

    def sweep(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Remove what killed processes left, as `cache.stores.sweep` does. Raises StoreError."""
        sweep(self._directory, self._rows, go_on)

    def close(self) -> None:
        """Write what was batched and let go of files."""
        self._sweeper.stop()
        self._recency.stop()
        self._flush()
        close_rows(self._directory, self._rows, self._claim, self._table)

    def _keys(self, prefix: str = "") -> Iterator[str]:
        with self._rows.failures():
            yield from self._rows.keys(prefix)

    def insert(self, entry: StoredResponse, body: bytes | Spool, replaces: Iterable[str]) -> None:
        """Store an entry with its body. Raises StoreError; then nothing was stored and nothing replaced."""
        stored, octets = encoded(entry)
        self.edit(lambda editing: editing.insert(stored, octets, body, replaces, time.time()))
        self._verification.written(stored, body)

    def _intact_body(self, entry: StoredResponse) -> BytesBody | FileBody | None:
        try:
            held = self._rows.body(entry.id)
        except RowError:
            return None
        if held is None:
            return None
        body = FileBody(held, lambda: self._forget(entry)) if isinstance(held, FileIO) else BytesBody(held)
        intact = False
        try:
            intact = self._verification.is_intact(entry, body)
        finally:
            if not intact:
                body.close()
        return body if intact else None

    def _forget(self, entry: StoredResponse) -> None:
        with suppress(StoreError):  # a body cut short while it is read: the reader is told in any case
            self.delete(entry.key, [entry.id])

    def _flush(self) -> None:
        """Write when entries were used last. A failure loses that, and nothing else."""
        if used := self._recency.take():
            try:
                with transaction(self._rows, self.generations) as changes:
                    changes.touch(used)
            except StoreError as error:
                logger.warning("when entries were used last was not written: %s", error)
