"""Small rows read on the event loop: from the page cache they come sooner than a thread that is asked for them.

A disk may be slow all the same, and then nobody else is served meanwhile. So one read that takes long is the last for
a while, and nothing here waits for the database: what cannot be told at once is left to the threads, as is all trouble.
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
from cache.stores.disk.editing import decoded
from cache.stores.disk.verification import Verification

SLOW = 0.01
"""Seconds: a read that takes longer is one too many."""

REST = 1.0
"""Seconds without reads after it."""

_ROW = "SELECT mode, value FROM Cache WHERE key = ? AND raw = 1"


class QuickReads:
    """Reads for one thread, on a connection of their own. Nothing raises; None says that it takes a thread to tell."""

    def __init__(self, directory: Path, verification: Verification, clock: Callable[[], float] = perf_counter) -> None:
        """Read from the store in `directory`; `verification` tells whose digest need not be worked out again."""
        self._clock = clock
        self._database = directory / DBNAME
        self._verification = verification
        self._connection: sqlite3.Connection | None = None
        self._rests_until = 0.0
        self._closed = False

    def candidates(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return every stored response under that primary key, most recently stored first."""
        rows = self._rows(f"u:{key}")
        try:
            return None if rows is None else tuple(entry for row in rows for entry, _ in decoded(row, key))
        except CodecError:
            return None

    def body(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's body if it is whole, and in the database."""
        for octets in self._rows(f"b:{entry.id}") or ():
            if self._verification.is_intact(entry, BytesBody(octets)):
                return octets
        return None

    def _rows(self, name: str) -> list[bytes] | None:
        """Return the octets of the row of that name, if there is one."""
        began = self._clock()
        if began < self._rests_until or self._closed:
            return None
        try:
            found = self._open().execute(_ROW, (name,)).fetchall()
        except (sqlite3.Error, ValueError):
            return None
        if (ended := self._clock()) - began > SLOW:
            self._rests_until = ended + REST
        octets = [octets for mode, octets in found if mode == MODE_RAW and type(octets) is bytes]
        return octets if len(octets) == len(found) else None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._database, timeout=0, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA query_only = 1")
        return self._connection

    def close(self) -> None:
        """Let go of the connection."""
        self._closed = True
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
