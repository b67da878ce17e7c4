"""The store on disk: persistent, limited in size, shared by threads and processes. Its files are not trusted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from io import FileIO
from itertools import batched
from pathlib import Path

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, Extent, StoreError, StoreStatistics
from cache.stores.bodies import BytesBody, FileBody
from cache.stores.disk.bytes_disk import RowError
from cache.stores.disk.directory import close_rows, make_subdirectories, open_rows
from cache.stores.disk.disk_writer import DiskWriter, Insert
from cache.stores.disk.entry_transaction import EntryTransaction
from cache.stores.disk.full_disk import FullDisk, is_full
from cache.stores.disk.head_rows import variants_in
from cache.stores.disk.identity import StoreIdentity
from cache.stores.disk.listed_rows import ListedRows
from cache.stores.disk.purge_extents import PurgeExtents
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.purged_rows import PurgedRowsDeleter
from cache.stores.disk.quick_reads import QuickReads
from cache.stores.disk.recency import Recency
from cache.stores.disk.row_transaction import row_transaction
from cache.stores.disk.spool import SPOOL_DIRECTORY, Spool
from cache.stores.disk.sweep import Sweeper, sweep
from cache.stores.disk.verification import Verification
from cache.stores.encoded_entries import encoded
from cache.stores.listing import Listing, Order, Selection
from cache.stores.purge_scopes import ALL, Scope

logger = logging.getLogger(__name__)

_INVALIDATED_AT_ONCE = 32
"""Keys in one transaction: enough to save most of the time, and few enough that no other writer waits for long."""
_TIMES = "SELECT store_time, access_time FROM Cache WHERE key = ? AND raw = 1"
_TRIAL_SIZE = 65_536
"""Bytes that are written to find out whether the disk takes any."""


class DiskStore:
    """Stored responses in a directory, at most `max_size` bytes. The least recently used are evicted first."""

    def __init__(
        self,
        directory: Path,
        max_size: int,
        inline_max: int = 65_536,
        *,
        captures: int = 1,
        lock_timeout: float = 10.0,
        touch_delay: float = 60.0,
        on_use: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open the store. The remains of killed processes are swept later; a damaged database is renamed and replaced.

        Args:
            directory: created if missing, with access for this user only.
            max_size: limit for bodies and records, in bytes.
            inline_max: size in bytes up to which a body is stored in the database; a larger one is a file.
            captures: how many states of a response are kept over time.
            lock_timeout: seconds that a write waits for other processes.
            touch_delay: seconds until last uses are written, for eviction by other processes.
            on_use: called with the ids of entries that are used, on any thread; now and then again for the same one.

        Raises:
            StoreError: the directory cannot be used.
        """
        self._directory = directory = directory.absolute()
        self._rows, self._in_use_lock, self._table = open_rows(directory, lock_timeout)
        self.generations = self._table.generations
        self.generations.purges = self._purges = PurgeTable(directory, self._rows, self.generations)
        try:
            self._identity = StoreIdentity(directory)
        except OSError as error:
            close_rows(directory, self._rows, self._in_use_lock, self._table)
            raise StoreError(f"the store in {directory} was removed while it was opened") from error
        self._deleter = PurgedRowsDeleter(directory, self._rows, self._purges, self._carry_out_purges)
        self._spools = directory / SPOOL_DIRECTORY
        self._max_size = self._limit = max_size
        self._full_disk = FullDisk(directory, self._rows, self.generations, self._purges, self.last_use)
        self.inline_max, self.captures = inline_max, captures
        self._evictions = 0
        self._verification = Verification()
        self._recency = Recency(self.generations, self._flush, touch_delay, on_use)
        self._sweeper = Sweeper(self._sweep_remains)

    def peek(self, key: str) -> tuple[()] | None:
        """Return an empty tuple if it is certain that nothing is stored under the key, else None."""
        return () if self.generations.stable_value(self.generations.slot(key)) == 0 else None

    def peek_body(self, entry: StoredResponse) -> bytes | None:  # noqa: ARG002 - the protocol's signature
        """Return None: all bodies are on disk."""
        return None

    def peek_whole(self, key: str) -> tuple[()] | None:
        """Return an empty tuple if it is certain that nothing is stored under the key, else None."""
        return self.peek(key)

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:  # noqa: ARG002 - the protocol's signature
        """Return None: everything needs to wait for the disk."""
        return None

    def try_update(self, entry: StoredResponse) -> None:
        """Return None: everything needs to wait for the disk."""

    def call_when_committed(self, _key: str, _call: Callable[[], None], /) -> bool:
        """Return false: every change is made in a transaction."""
        return False

    def commit(self) -> None:
        """Do nothing: every change is made in a transaction."""

    def commit_soon(self) -> None:
        """Do nothing: every change is made in a transaction."""

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return all stored responses under a primary key, most recently stored first. Raises StoreError."""
        self._purges.load()
        with self._rows.failures():
            variants = variants_in(self._rows, key, self._purges)
        if variants is None:
            logger.warning("a damaged record was deleted: %s", key.partition("?")[0])
            self.delete(key)
        return tuple(entry for entry, _ in variants or ())

    def open(self, entry: StoredResponse) -> BytesBody | FileBody:
        """Open the body of an entry. Its length is checked each time, its digest once per process.

        Raises:
            DamagedEntry: the body is missing or altered; the entry has been deleted.
            StoreError: the store cannot be read.
        """
        self._purges.load()
        with self._rows.failures():
            body = self._intact_body(entry)
        if body is None:
            self.delete(entry.key, [entry.id])
            raise DamagedEntry(f"the stored body {entry.id} was missing or altered")
        return body

    def quick_reads(self) -> QuickReads:
        """Return a reader of small rows that never waits. The caller must close it before the store."""
        return QuickReads(self._directory, self._verification, self._purges)

    def writer(self, insert: Insert | None = None) -> DiskWriter:
        """Begin a new body. `commit` calls `insert` if it is given, else `self.insert`."""
        return DiskWriter(self._spools, insert or self.insert, self.make_room, self._max_size, self.inline_max)

    def update(self, entry: StoredResponse) -> bool:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`. Return whether it was replaced.

        Raises:
            StoreError: nothing was changed.
        """
        return self.transact(lambda transaction: transaction.update(entry))

    def invalidate(self, key: str) -> int:
        """Mark all entries under a key as needing validation. Return their number. Raises StoreError."""
        # also if nothing is stored, since another process may be about to store what is from before
        return self._invalidate((key,), lambda _: True)

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Invalidate the entries that `fits` accepts, of keys with a prefix. Return their number. Raises StoreError."""
        found = (key for key in self._keys(prefix) if any(map(fits, self.candidates(key))))
        return sum(self._invalidate(keys, fits) for keys in batched(found, _INVALIDATED_AT_ONCE))

    def _invalidate(self, keys: Iterable[str], fits: Callable[[StoredResponse], bool]) -> int:
        return self.transact(lambda transaction: sum(transaction.invalidate(key, fits) for key in keys))

    def holds(self, prefix: str) -> bool:
        """Return whether anything is stored under a key with this prefix. Raises StoreError."""
        return next(self._keys(prefix), None) is not None

    def touch(self, entry_id: str) -> None:
        """Record that an entry was used just now. This process knows it at once; the disk gets it later."""
        self._recency.note(entry_id)

    def touch_all(self, entry_ids: Collection[str]) -> set[str]:
        """Write that entries were used just now. Return the ids of those that are stored. Raises StoreError."""
        with row_transaction(self._rows, self.generations, self._purges) as changes:
            return changes.touch_found(entry_ids, time.time())

    def last_use(self, entry_id: str) -> float:
        """Return the last use of an entry in seconds since the epoch; 0 if it was not used lately."""
        return self._recency.last_use(entry_id)

    def last_use_of(self, entry: StoredResponse) -> float | None:
        """Return the last use of an entry in seconds since the epoch; None if it was never used. Raises StoreError.

        Of uses in the last minute, it may be that of another entry (see `Generations.last_use`).
        """
        with self._rows.failures():
            times = self._rows.execute(_TIMES, f"b:{entry.id}")
        written = [used for stored, used in times if used != stored and isinstance(used, float)]
        return max(*written, self._recency.last_use(entry.id), 0.0) or None

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, all or only those with these ids. Return their number. Raises StoreError."""
        return self.transact(lambda transaction: transaction.delete(key, ids))

    def purge(self, scopes: Sequence[Scope]) -> Extent:
        """Purge what these scopes, all hard or all soft, cover: at once; it is deleted or marked soon.

        Raises:
            StoreError: nothing is purged.
        """
        extents = PurgeExtents(self._rows, self._purges)
        numbers = self._with_room(lambda: self._purges.add(scopes))
        try:
            return extents.counted(scopes)  # behind it, since that may take long, but before anything is deleted
        except StoreError as error:
            logger.warning("what was purged could not be counted: %s", error)
            return Extent(0)
        finally:
            self._deleter.start(numbers)

    def measure(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and size of what a purge of these scopes would cover. Raises StoreError."""
        return PurgeExtents(self._rows, self._purges).measured(scopes)

    def delete_purged(self) -> None:
        """Wait until purges are carried out, unless another process is doing that."""
        self._deleter.finish()

    def transact[T](self, change: Callable[[EntryTransaction], T]) -> T:
        """Run `change` in one transaction and return its result. If the disk is full, make room and run it once more.

        Raises:
            StoreError: nothing was changed.
        """
        return self._with_room(lambda: self._transact(change))

    def _with_room[T](self, write: Callable[[], T]) -> T:
        """Return the result of `write`. If the disk is full, make room and call it once more. Raises StoreError."""
        try:
            return write()
        except StoreError as error:
            if not is_full(error) or not self.make_room():
                raise
        return write()

    def _transact[T](self, change: Callable[[EntryTransaction], T]) -> T:
        with row_transaction(self._rows, self.generations, self._purges) as changes:
            transaction = EntryTransaction(self._rows, changes, self.captures, self._recency.last_use)
            result = change(transaction)
            self._evictions += transaction.evict(self._limit)
            return result

    def make_room(self) -> bool:
        """Evict some of the least recently used entries, when the disk is full. Return whether any were evicted.

        From then on the store is limited to the size that fits on the disk.
        """
        fitting = self._full_disk.make_room()
        self._limit = min(self._limit, fitting or self._limit)
        return fitting is not None

    def problem(self) -> str | None:
        """Return why the store must be opened again (its files were removed, replaced or damaged), or None."""
        return self._identity.problem()

    def try_to_write(self) -> None:
        """Write to the database and to a file. Raises StoreError if either fails."""
        with self._rows.failures():
            make_subdirectories(self._directory)
            spool = Spool(self._spools)
            try:
                spool.write(bytes(_TRIAL_SIZE))
            finally:
                spool.discard()
        with self._rows.exclusive() as (execute, _):
            execute("UPDATE Settings SET value = value WHERE key = 'size'")

    def entries(self, after: str = "") -> Iterator[StoredResponse]:
        """Iterate over the entries of all keys, or of those behind one, ordered by key. Raises StoreError.

        Damaged ones are deleted and left out.
        """
        for key in self._keys(after=after):
            yield from self.candidates(key)

    def listing(self, selection: Selection) -> Listing:
        """Return a list of the entries, see `ResponseStore`."""
        if selection.order is Order.USED or selection.never_used:
            self._flush()  # what this process knows of uses, so that the rows have them in order
        return Listing(ListedRows(self._rows, self.candidates).found(selection))

    def statistics(self) -> StoreStatistics:
        """Return number and size of the entries. Raises StoreError."""
        count = PurgeExtents(self._rows, self._purges).counted([Scope(ALL)]).copies
        with self._rows.failures():
            return StoreStatistics(count, self._rows.bytes_in_use(), self._max_size)

    def free_space(self) -> int:
        """Return how many bytes may still be stored before entries are evicted. Raises StoreError."""
        with self._rows.failures():
            return max(0, self._max_size - self._rows.bytes_in_use())

    @property
    def evictions(self) -> int:
        """Number of entries that this process has deleted to make room for others, since it opened the store."""
        return self._evictions + self._full_disk.evictions

    def sweep(self, should_continue: Callable[[], bool] = lambda: True) -> None:
        """Remove what killed processes left, see `cache.stores.disk.sweep`. Raises StoreError."""
        sweep(self._directory, self._rows, should_continue)

    def _carry_out_purges(self, keys: Sequence[str]) -> None:
        with row_transaction(self._rows, self.generations, self._purges) as changes:
            transaction = EntryTransaction(self._rows, changes)
            for key in keys:
                transaction.carry_out_purges(key)

    def _sweep_remains(self, should_continue: Callable[[], bool]) -> None:
        if pending := self._purges.pending():
            self._deleter.start(number for _, number in pending)
        self.sweep(should_continue)

    def close(self) -> None:
        """Write pending last uses and close the files."""
        self._sweeper.stop()
        self._deleter.stop()
        self._recency.stop()
        if self.problem() is None:
            self._flush()
        self._purges.close()
        close_rows(self._directory, self._rows, self._in_use_lock, self._table)

    def _keys(self, prefix: str = "", after: str = "") -> Iterator[str]:
        with self._rows.failures():
            yield from self._rows.keys(prefix, after)

    def insert(self, entry: StoredResponse, body: bytes | Spool, replaces: Iterable[str]) -> None:
        """Store an entry with its body. Raises StoreError if it cannot; then nothing was stored or deleted."""
        stored, data = encoded(entry)
        self.transact(lambda transaction: transaction.insert(stored, data, body, replaces, time.time()))
        self._verification.note_written(stored, body)

    def _intact_body(self, entry: StoredResponse) -> BytesBody | FileBody | None:
        try:
            found = self._rows.body(entry.id)
        except RowError:
            return None
        if found is None:
            return None
        data, number = found
        body = FileBody(data, lambda: self._delete_damaged(entry)) if isinstance(data, FileIO) else BytesBody(data)
        intact = False
        try:
            intact = not self._purges.covers(entry.key, number) and self._verification.is_intact(entry, body)
        finally:
            if not intact:
                body.close()
        return body if intact else None

    def _delete_damaged(self, entry: StoredResponse) -> None:
        with suppress(StoreError):  # the reader gets DamagedEntry in any case
            self.delete(entry.key, [entry.id])

    def _flush(self) -> None:
        """Write the last uses of entries. If that fails, only they are lost."""
        if used := self._recency.take():
            try:
                with row_transaction(self._rows, self.generations, self._purges) as changes:
                    changes.touch(used)
            except StoreError as error:
                logger.warning("the last uses of entries were not written: %s", error)
