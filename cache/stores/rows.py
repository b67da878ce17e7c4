"""The rows beneath the disk store: a diskcache table in which nothing is believed.

A head row `u:<primary key>` holds the encoded entries under that key. A body row `b:<entry id>` holds one body, inline
or as the name of a file, its `tag` is the primary key and its `access_time` the entry's last use.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from threading import Lock
from weakref import WeakSet

import diskcache
from diskcache.core import DBNAME, DEFAULT_SETTINGS, ENOVAL, METADATA

from cache.stores.base import StoreError
from cache.stores.octets_disk import OctetsDisk, RowError
from cache.stores.spool import Spool

_SETTINGS = {
    **DEFAULT_SETTINGS,  # all of them named, so that none is taken from a file
    "eviction_policy": "none",  # reading a row must not write; eviction takes entries, never single rows
    "cull_limit": 0,
    "tag_index": 1,
    "sqlite_mmap_size": 0,  # a database truncated under a memory map kills the process
}
_PAGE_OF_KEYS = """
    SELECT CAST(key AS BLOB) FROM Cache
    WHERE key > CAST(? AS TEXT) AND key < 'u;' AND raw = 1 ORDER BY key LIMIT 500
"""
_DELETE_STRAYS = """
    DELETE FROM Cache WHERE raw IS NOT 1 OR typeof(key) IS NOT 'text' OR NOT (
        (key GLOB 'u:*' AND tag IS NULL AND filename IS NULL)
        OR (key GLOB 'b:*' AND EXISTS (
            SELECT 1 FROM Cache AS head WHERE head.key = 'u:' || Cache.tag AND head.raw = 1)))
"""


type Value = str | bytes | int | float | None


class _Connection(sqlite3.Connection):
    """A connection that is closed when its thread ends."""

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.close()


class Rows(diskcache.Cache):  # type: ignore[misc] # diskcache has no types
    """The table, safe for threads and processes. What fails inside `failures` or `transaction` is a StoreError."""

    def __init__(self, directory: Path, lock_timeout: float) -> None:
        """Open or create the table; `lock_timeout` is in seconds. Raises whatever SQLite and diskcache raise."""
        self._connections: WeakSet[_Connection] = WeakSet()
        self._closed = False
        self._turn = Lock()
        try:
            super().__init__(str(directory), timeout=lock_timeout, disk=OctetsDisk, **_SETTINGS)
            self._sql("CREATE INDEX IF NOT EXISTS Body_access_time ON Cache(access_time) WHERE tag IS NOT NULL")
        except BaseException:
            self.close_all()
            raise

    @property
    def _con(self) -> _Connection:
        """The connection of this thread in this process, made as diskcache makes it."""
        if self._closed:
            raise sqlite3.ProgrammingError("it is closed")
        local = self._local
        if getattr(local, "pid", None) != os.getpid():
            local.con = None
            local.pid = os.getpid()
        if getattr(local, "con", None) is None:
            local.con = sqlite3.connect(
                Path(self._directory) / DBNAME,
                timeout=self._timeout,
                isolation_level=None,
                check_same_thread=False,  # so that `close_all` can close it
                factory=_Connection,
            )
            local.con.text_factory = partial(str, encoding="utf-8", errors="replace")  # damaged text is no error
            self._connections.add(local.con)
            for pragma in ("synchronous", "cache_size", "mmap_size"):
                local.con.execute(f"PRAGMA {pragma} = {_SETTINGS['sqlite_' + pragma]}")
        connection: _Connection = local.con
        return connection

    def reset(self, key: str, value: Value = ENOVAL, update: bool = True) -> Value:
        """Read or write a setting. diskcache makes attributes of all it finds, so there must be no others.

        Raises:
            ValueError: there is no such setting.
        """
        if key not in _SETTINGS and key not in METADATA:
            raise ValueError(f"unknown setting {key!r}")
        setting: Value = super().reset(key, value, update)
        return setting

    def close_all(self) -> None:
        """Close the connections of all threads, for good."""
        self._closed = True
        for connection in list(self._connections):
            connection.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn whatever SQLite, diskcache and the file system raise into StoreError."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, diskcache.Timeout) as error:
            with suppress(sqlite3.Error):
                self.close()  # a COMMIT that failed leaves its transaction open and everyone else locked out
            # diskcache's Timeout hides why the transaction could not begin
            reason = (error.__context__ or "locked") if isinstance(error, diskcache.Timeout) else error
            raise StoreError(f"the store in {self.directory} failed: {reason}") from error

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction that all processes respect. Body files of dropped rows go once it is committed."""
        # Threads queue here: SQLite's own waiting is polling, and unfair
        if not self._turn.acquire(timeout=self.timeout):
            raise StoreError(f"the store in {self.directory} is locked")
        try:
            with self.failures(), self._transact() as (_, discard):
                yield Transaction(self, discard)
        finally:
            self._turn.release()

    def head(self, key: str) -> bytes | None:
        """Return the octets of a head row or None. Raises RowError."""
        held = self.get(f"u:{key}", read=True)
        if isinstance(held, FileIO):
            held.close()
            raise RowError("a head row with a file")
        return bytes(held) if held is not None else None

    def body(self, entry_id: str) -> bytes | FileIO | None:
        """Return a body's octets or its open file, or None if it is gone. Raises RowError."""
        held: bytes | FileIO | None = self.get(f"b:{entry_id}", read=True)
        return held

    def keys(self) -> Iterator[str]:
        """Iterate over the primary keys in order; keys stored meanwhile may be among them."""
        last = b"u:"
        while page := self._page_of_keys(last):
            for last in page:
                try:
                    key = last.decode()
                except UnicodeDecodeError:
                    self._sql("DELETE FROM Cache WHERE key = CAST(? AS TEXT)", (last,))
                else:
                    yield key.removeprefix("u:")

    def body_count(self) -> int:
        """Return how many bodies there are."""
        return _integer(self.select("SELECT COUNT(*) FROM Cache WHERE key >= 'b:' AND key < 'b;'"))

    def file_names(self) -> set[str]:
        """Return the names of all body files that rows have."""
        return {str(name) for (name,) in self.select("SELECT filename FROM Cache WHERE filename IS NOT NULL")}

    def octets_in_use(self) -> int:
        """Return the octets in use: pages of the database and body files."""
        pages = _integer(self.select("PRAGMA page_count")) - _integer(self.select("PRAGMA freelist_count"))
        files = _integer(self.select("SELECT CAST(value AS INTEGER) FROM Settings WHERE key = 'size'"))
        return pages * _integer(self.select("PRAGMA page_size")) + files

    def _page_of_keys(self, last: bytes) -> list[bytes]:
        rows: list[tuple[bytes]] = self._sql(_PAGE_OF_KEYS, (last,)).fetchall()
        return [key for (key,) in rows]

    def select(self, statement: str, *parameters: Value) -> list[tuple[Value, ...]]:
        """Return what a statement finds."""
        rows: list[tuple[Value, ...]] = self._sql(statement, parameters).fetchall()
        return rows


class Transaction:
    """What can be changed in a transaction."""

    def __init__(self, rows: Rows, discard: Callable[[Value], None]) -> None:
        self._rows = rows
        self._sql = rows._sql
        self._discard = discard

    def put_head(self, key: str, octets: bytes) -> None:
        """Write the head row of a primary key."""
        self._rows.set(f"u:{key}", octets)

    def drop_head(self, key: str) -> None:
        """Drop the head row of a primary key, if there is one."""
        self._sql("DELETE FROM Cache WHERE key = ?", (f"u:{key}",))

    def put_body(self, entry_id: str, key: str, body: bytes | Spool) -> None:
        """Write a body row. Raises StoreError if there is one of that id."""
        if self._rows.select("SELECT 1 FROM Cache WHERE key = ?", f"b:{entry_id}"):
            raise StoreError(f"the id {entry_id} is taken")
        self._rows.set(f"b:{entry_id}", body, tag=key)

    def bodies_of(self, key: str) -> list[str]:
        """Return the entry ids of the bodies under a key, least recently used first."""
        ids = self._rows.select("SELECT key FROM Cache WHERE tag = ? ORDER BY access_time, rowid", key)
        return [str(each).removeprefix("b:") for (each,) in ids]

    def drop_bodies(self, key: str, but: Collection[str]) -> None:
        """Drop the bodies under a key, except those whose entry ids are given."""
        kept = {f"b:{each}" for each in but}
        for rowid, row_key, name in self._rows.select("SELECT rowid, key, filename FROM Cache WHERE tag = ?", key):
            if row_key not in kept:
                self._drop_row(rowid, name)

    def pop_least_recently_used(self) -> tuple[str, str] | None:
        """Drop the body that was not used for longest; return its entry id and key, or None if there is none."""
        oldest = "SELECT rowid, key, tag, filename FROM Cache WHERE tag IS NOT NULL ORDER BY access_time LIMIT 1"
        for rowid, row_key, tag, name in self._rows.select(oldest):
            self._drop_row(rowid, name)
            return str(row_key).removeprefix("b:"), str(tag)
        return None

    def touch(self, used: Mapping[str, float]) -> None:
        """Note when bodies were last used: seconds since the epoch by entry id."""
        for entry_id, seconds in used.items():
            self._sql("UPDATE Cache SET access_time = ? WHERE key = ?", (seconds, f"b:{entry_id}"))

    def drop_strays(self) -> None:
        """Drop bodies without a head, and rows that are not written here; count the octets of files anew."""
        self._sql(_DELETE_STRAYS)
        self._sql("UPDATE Settings SET value = (SELECT COALESCE(SUM(size), 0) FROM Cache) WHERE key = 'size'")

    def clear(self) -> None:
        """Drop every row."""
        for name in self._rows.file_names():
            self._discard(name)
        self._sql("DELETE FROM Cache")

    def _drop_row(self, rowid: Value, name: Value) -> None:
        self._sql("DELETE FROM Cache WHERE rowid = ?", (rowid,))
        self._discard(name)


def _integer(rows: list[tuple[Value, ...]]) -> int:
    return next((value for (value,) in rows if isinstance(value, int)), 0)
