"""Read small rows on the event loop: from the page cache that is faster than a thread.

A slow disk would block all other requests, so after one slow read there are no reads for a while. A read never waits
for a database lock. The methods that run on threads read everything else, and handle all errors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from diskcache.core import DBNAME, MODE_RAW

from cache.rules.stored_response import StoredResponse
from cache.stores.bodies import BytesBody
from cache.stores.codec import CodecError
from cache.stores.disk.head_rows import decoded
from cache.stores.disk.verification import Verification
from cache.stores.purges import KnownPurges, tags_of

SLOW_READ = 0.01
"""Seconds. A read that takes longer is a slow one."""

PAUSE = 1.0
"""Seconds without reads after a slow one."""

_ROW = "SELECT mode, value, access_count FROM Cache WHERE key = ? AND raw = 1"


class QuickReads:
    """Reads for the event loop's thread, on their own connection. Never raises; None means that a thread must read."""

    def __init__(
        self,
        directory: Path,
        verification: Verification,
        purges: KnownPurges,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """Read from the store in `directory`; `verification` checks bodies. What `purges` cover is not returned."""
        self._clock = clock
        self._database = directory / DBNAME
        self._verification = verification
        self._purges = purges
        self._connection: sqlite3.Connection | None = None
        self._paused_until = 0.0
        self._closed = False

    def candidates(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return all stored responses under a primary key, most recently stored first."""
        if self._purges.number() is None or (rows := self._rows(f"u:{key}")) is None:
            return None
        try:
            return tuple(entry for row in rows for entry, _ in decoded(*row, key, self._purges))
        except CodecError:
            return None

    def body(self, entry: StoredResponse) -> bytes | None:
        """Return the body of an entry if it is intact and in the database, else None."""
        for body, number in self._rows(f"b:{entry.id}") or ():
            is_purged = self._purges.is_purged(tags_of(entry.key), number)
            if not is_purged and self._verification.is_intact(entry, BytesBody(body)):
                return body
        return None

    def _rows(self, row_key: str) -> list[tuple[bytes, int]] | None:
        """Return the row with that key, as a list of one; empty if there is no such row.

        A row is its value, and the number of the last purge before it.
        """
        began = self._clock()
        if began < self._paused_until or self._closed:
            return None
        try:
            found = self._open().execute(_ROW, (row_key,)).fetchall()
        except (sqlite3.Error, ValueError):
            return None
        if (ended := self._clock()) - began > SLOW_READ:
            self._paused_until = ended + PAUSE
        rows = [
            (value, number if isinstance(number, int) else 0)
            for mode, value, number in found
            if mode == MODE_RAW and type(value) is bytes
        ]
        return rows if len(rows) == len(found) else None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"{self._database.as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA query_only = 1")
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        self._closed = True
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
