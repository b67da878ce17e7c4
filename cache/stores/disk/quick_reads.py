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
from cache.stores.base import WholeCopy
from cache.stores.bodies import BytesBody
from cache.stores.codec import CodecError
from cache.stores.disk.head_rows import decoded
from cache.stores.disk.verification import Verification, is_body_of
from cache.stores.purges import KnownPurges

SLOW_READ = 0.01
"""Seconds. A read that takes longer is a slow one."""

PAUSE = 1.0
"""Seconds without reads after a slow one."""

MAX_WHOLE = 16_384
"""Bytes of the largest body that is read together with its head."""

_ROW = "SELECT mode, value, access_count, key FROM Cache WHERE key = ? AND raw = 1"

_HEAD_AND_BODIES = """
    SELECT mode, value, access_count, key FROM Cache WHERE key = ? AND raw = 1 UNION ALL SELECT * FROM (
        SELECT mode, value, access_count, key FROM Cache WHERE tag = ? AND raw = 1 AND length(value) <= ? LIMIT 2
    )
"""

type _Row = tuple[bytes, int, str]
"""The value of a row, the number of the last purge before it, and its key."""


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
        if self._purges.number() is None or (rows := self._rows(_ROW, f"u:{key}")) is None:
            return None
        try:
            return tuple(entry for row, number, _ in rows for entry, _ in decoded(row, number, key, self._purges))
        except CodecError:
            return None

    def body(self, entry: StoredResponse) -> bytes | None:
        """Return the body of an entry if it is intact and in the database, else None."""
        for body, number, _ in self._rows(_ROW, f"b:{entry.id}") or ():
            if not self._purges.covers(entry.key, number) and self._verification.is_intact(entry, BytesBody(body)):
                return body
        return None

    def whole(self, key: str) -> WholeCopy | None:
        """Return the stored response under a key with its body, by one read, if it is small and the only one."""
        if self._purges.number() is None:
            return None
        match self._rows(_HEAD_AND_BODIES, f"u:{key}", key, MAX_WHOLE):
            case [(row, number, _), (body, body_number, body_key)]:
                try:
                    variants = decoded(row, number, key, self._purges)
                except CodecError:
                    return None
                if len(variants) != 1 or self._purges.covers(key, body_number):
                    return None
                entry = variants[0][0]
                return (entry, body) if body_key == f"b:{entry.id}" and is_body_of(entry, body) else None
        return None

    def _rows(self, statement: str, *parameters: str | int) -> list[_Row] | None:
        """Return the rows that a statement finds, or None if a thread must read them."""
        began = self._clock()
        if began < self._paused_until or self._closed:
            return None
        try:
            found = self._open().execute(statement, parameters).fetchall()
        except (sqlite3.Error, ValueError):
            return None
        if (ended := self._clock()) - began > SLOW_READ:
            self._paused_until = ended + PAUSE
        rows = [
            (value, number if isinstance(number, int) else 0, row_key)
            for mode, value, number, row_key in found
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
