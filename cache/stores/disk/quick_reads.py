"""Read small rows on the event loop: from the page cache that is faster than a thread.

A slow disk would block all other requests, so after one slow read there are no reads for a while. A read that was slow
without reading from the disk has only waited for a processor. A read never waits for a database lock. The methods that
run on threads read everything else, and handle all errors.
"""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from diskcache.core import DBNAME, MODE_RAW

from cache.rules.stored_response import StoredResponse
from cache.stores.bodies import BytesBody
from cache.stores.codec import CodecError, Record, decode_row, read_record
from cache.stores.disk.verification import Verification
from cache.stores.encoded_entries import decoded
from cache.stores.purges import KnownPurges
from cache.stores.whole_copy import Lines, WholeCopy, copy_in_row

SLOW_READ = 0.01
"""Seconds. A read that takes longer is a slow one."""

VERY_SLOW_READ = 0.1
"""Seconds. A read that takes longer counts as slow, whatever it has waited for."""

PAUSE = 1.0
"""Seconds without reads after a slow one."""

MAX_WHOLE = 16_384
"""Bytes of the largest body that is read together with its head."""

_CACHE_SIZE = 2048
"""Pages of 4 KiB that SQLite keeps: the index pages of a large database."""

_ROW = "SELECT mode, value, access_count FROM Cache WHERE key = ? AND raw = 1"

# The row before a head row is mostly its body's, inserted with it: to find that needs no second search
_HEAD_AND_ROW_BEFORE = """
    SELECT head.mode, head.value, head.access_count, body.mode, body.value, body.access_count, body.key
    FROM Cache AS head LEFT JOIN Cache AS body ON body.rowid = head.rowid - 1 AND length(body.value) <= ?
    WHERE head.key = ? AND head.raw = 1
"""

type _Row = tuple[bytes, int]
"""The value of a row, and the number of the last purge before it."""


_COUNTS_BLOCKS = Path("/proc/self/io").exists()
"""The system counts the blocks that a thread reads from disks (Linux with CONFIG_TASK_IO_ACCOUNTING)."""


def blocks_read() -> int | None:
    """Return how many blocks this thread has read from disks, or None if the system does not count them."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_inblock if _COUNTS_BLOCKS else None


class QuickReads:
    """Reads for the event loop's thread, on their own connection. Never raises; None means that a thread must read."""

    def __init__(
        self,
        directory: Path,
        verification: Verification,
        purges: KnownPurges,
        clock: Callable[[], float] = perf_counter,
        blocks_read: Callable[[], int | None] = blocks_read,
    ) -> None:
        """Read from the store in `directory`; `verification` checks bodies. What `purges` cover is not returned."""
        self._clock = clock
        self._blocks_read = blocks_read
        self._blocks: int | None = None
        """Blocks that had been read when the database was opened, or after the last slow read."""
        self._database = directory / DBNAME
        self._verification = verification
        self._purges = purges
        self._connection: sqlite3.Connection | None = None
        self._paused_until = 0.0
        self._closed = False

    def candidates(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return all stored responses under a primary key, most recently stored first."""
        if self._purges.number() is None or (found := self._find(_ROW, f"u:{key}")) is None:
            return None
        return self._entries(key, *found[0]) if found else ()

    def body(self, entry: StoredResponse) -> bytes | None:
        """Return the body of an entry if it is intact and in the database, else None."""
        for columns in self._find(_ROW, f"b:{entry.id}") or ():
            row = _row(*columns)
            if row is None or self._purges.covers(entry.key, row[1]):
                return None
            return row[0] if self._verification.is_intact(entry, BytesBody(row[0])) else None
        return None

    def whole(self, key: str) -> WholeCopy | None:
        """Return the stored response under a key with its body, mostly by one read, if it is small and the only one."""
        if self._purges.number() is None:
            return None
        found = self._find(_HEAD_AND_ROW_BEFORE, MAX_WHOLE, f"u:{key}")
        for mode, value, number, *row_before, row_key in found or ():
            head = _row(mode, value, number)
            if head is None or self._purges.covers(key, head[1]) or (sole := _sole_entry(head[0], key)) is None:
                return None
            data, entry = sole
            if self._purges.may_concern_row(key, head[1]) and not self._is_untouched(key, *head):
                return None
            body = _row(*row_before) if row_key == f"b:{entry.id}" else self._small_body(entry)
            if body is not None and not self._purges.covers(key, body[1]):
                return copy_in_row(entry, data, body[0])
        return None

    def _is_untouched(self, key: str, row: bytes, number: int) -> bool:
        """Return whether no purge after that number covers one of the entries in a head row."""
        try:
            return [data for _, data in decoded(row, number, key, self._purges)] == decode_row(row)
        except CodecError:
            return False

    def _small_body(self, entry: Record[Lines]) -> _Row | None:
        """Return the body row of an entry."""
        found = self._find(_ROW, f"b:{entry.id}") if entry.length <= MAX_WHOLE else None
        return _row(*found[0]) if found else None

    def _entries(self, key: str, *columns: object) -> tuple[StoredResponse, ...] | None:
        """Return the entries in the head row of a key, or None if it is damaged."""
        if (row := _row(*columns)) is None:
            return None
        try:
            return tuple([entry for entry, _ in decoded(*row, key, self._purges)])
        except CodecError:
            return None

    def _find(self, statement: str, *parameters: str | int) -> list[tuple[object, ...]] | None:
        """Return the rows that a statement finds, or None if a thread must read them."""
        began = self._clock()
        if began < self._paused_until or self._closed:
            return None
        try:
            found = self._open().execute(statement, parameters).fetchall()
        except (sqlite3.Error, ValueError):
            return None
        if (ended := self._clock()) - began > SLOW_READ and self._has_waited_for_disk(ended - began):
            self._paused_until = ended + PAUSE
        return found

    def _has_waited_for_disk(self, seconds: float) -> bool:
        """Return whether a slow read may have waited for the disk."""
        before, self._blocks = self._blocks, self._blocks_read()
        return seconds > VERY_SLOW_READ or self._blocks is None or self._blocks != before

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"{self._database.as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA query_only = 1")
            self._connection.execute(f"PRAGMA cache_size = {_CACHE_SIZE}")
            self._blocks = self._blocks_read()
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        self._closed = True
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()


def _row(mode: object, value: object, number: object) -> _Row | None:
    """Return a row whose value is in the database, or None if it is another one or damaged."""
    if mode != MODE_RAW or not isinstance(value, bytes):
        return None
    return value, number if isinstance(number, int) else 0


def _sole_entry(row: bytes, key: str) -> tuple[bytes, Record[Lines]] | None:
    """Return the only entry in a head row, encoded and read; None if there are several or the row is damaged."""
    try:
        variants = decode_row(row)
        if len(variants) != 1:
            return None
        entry = read_record(variants[0])
    except CodecError:
        return None
    return (variants[0], entry) if entry.key == key else None
