"""The rows of the disk store: a table of diskcache. Its content is not trusted.

A head row `u:<primary key>` holds the encoded entries under that key. A body row `b:<entry id>` holds one body, inline
or as the name of a file. The `tag` of a body row is the primary key. Its `access_time` is the last use of the entry,
and the same as its `store_time` before the first use. The `access_time` of a head row is when the oldest of its entries
was made (`made_at`). The `access_count` of each row is the number of the last purge before it was written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Protocol
from weakref import WeakSet

import diskcache
from diskcache.core import DBNAME, DEFAULT_SETTINGS, ENOVAL, METADATA, MODE_RAW

from cache.stores.base import StoreError
from cache.stores.disk.bytes_disk import BytesDisk, RowError

FOUND_DAMAGED = "found-damaged"
"""Marker file: the database was found malformed. The next process that has the store to itself replaces it."""

_SETTINGS = {
    **DEFAULT_SETTINGS,  # a setting that is not given would be read from the database
    "eviction_policy": "none",  # reading a row must not write; the store evicts whole entries itself
    "cull_limit": 0,
    "sqlite_cache_size": 2048,  # pages of 4 KiB, per thread; the system caches the file anyway
    "tag_index": 1,
    "sqlite_mmap_size": 0,  # truncating a mapped database would kill the process
}
_ROW = "SELECT mode, filename, value, access_count FROM Cache WHERE key = ? AND raw = 1"
_PAGE_OF_KEYS = """
    SELECT CAST(key AS BLOB) FROM Cache
    WHERE key > CAST(? AS TEXT) AND key < 'u;' AND raw = 1 ORDER BY key LIMIT 500
"""
_CREATE_PURGES = """
    CREATE TABLE IF NOT EXISTS Purge (tag TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, done INTEGER DEFAULT 0)
"""
_CREATE_TAGS = """
    CREATE TABLE IF NOT EXISTS Tag (hash INTEGER, body INTEGER, number INTEGER, PRIMARY KEY (hash, body)) WITHOUT ROWID
"""
_RECOUNT_FILE_BYTES = """
    UPDATE Settings SET value = (SELECT COALESCE(SUM(size), 0) FROM Cache WHERE filename IS NOT NULL)
    WHERE key = 'size'
"""

# All but the last replace diskcache's triggers of the same names, which write to a second table for each row
_TRIGGERS = {
    "Settings_count_insert": "INSERT ON Cache WHEN FALSE BEGIN SELECT 1; END",  # this count is not used
    "Settings_count_delete": "DELETE ON Cache WHEN FALSE BEGIN SELECT 1; END",
    "Settings_size_insert": """INSERT ON Cache WHEN NEW.size <> 0
        BEGIN UPDATE Settings SET value = value + NEW.size WHERE key = 'size'; END""",
    "Settings_size_update": """UPDATE OF size ON Cache WHEN NEW.size <> OLD.size
        BEGIN UPDATE Settings SET value = value + NEW.size - OLD.size WHERE key = 'size'; END""",
    "Settings_size_delete": """DELETE ON Cache WHEN OLD.size <> 0
        BEGIN UPDATE Settings SET value = value - OLD.size WHERE key = 'size'; END""",
    "Tag_delete": "DELETE ON Cache WHEN OLD.tag IS NOT NULL BEGIN DELETE FROM Tag WHERE body = OLD.rowid; END",
}

BODY_LENGTH = "MAX(size, COALESCE(length(value), 0))"
"""The bytes of a body, of its row."""

# The first two replace diskcache's indexes of the same names, to which each row adds a line
_INDEXES = {
    "Cache_expire_time": "Cache (expire_time) WHERE expire_time IS NOT NULL",  # no row has this time
    "Cache_tag_rowid": "Cache(tag, rowid) WHERE tag IS NOT NULL",
    "Body_access_time": f"Cache(access_time, store_time, {BODY_LENGTH}) WHERE tag IS NOT NULL",
    "Head_made": "Cache(access_time) WHERE tag IS NULL",
}

type Value = str | bytes | int | float | None


class Execute(Protocol):
    """Executes SQL statements on one connection."""

    def __call__(self, statement: str, *parameters: Value) -> list[tuple[Value, ...]]:
        """Execute a statement and return its rows."""


class _Connection(sqlite3.Connection):
    """A connection that closes itself when its thread ends."""

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.close()


class Rows(diskcache.Cache):  # type: ignore[misc] # diskcache has no types
    """The table, safe for several threads and processes. `failures` and `exclusive` turn errors into StoreError."""

    def __init__(self, directory: Path, lock_timeout: float) -> None:
        """Open or create the table; `lock_timeout` is in seconds. Raises the errors of SQLite and diskcache."""
        self._connections: WeakSet[_Connection] = WeakSet()
        self._closed = False
        self._lock_timeout = lock_timeout
        self._write_lock = Lock()
        self._inode: tuple[int, int] | None = None
        try:
            super().__init__(str(directory), timeout=lock_timeout, disk=BytesDisk, **_SETTINGS)
            self.execute("CREATE INDEX IF NOT EXISTS Body_file ON Cache(filename, size) WHERE filename IS NOT NULL")
            self.execute(_CREATE_PURGES)
            self.execute("SELECT tag, number, done FROM Purge LIMIT 1")  # fails if it is another table
            self.execute(_CREATE_TAGS)
            self.execute("SELECT hash, body, number FROM Tag LIMIT 1")  # the same
            self.execute("CREATE INDEX IF NOT EXISTS Tag_body ON Tag(body)")
            self._replace("TRIGGER", {name: f"{name} AFTER {event}" for name, event in _TRIGGERS.items()})
            self._replace("INDEX", {name: f"{name} ON {columns}" for name, columns in _INDEXES.items()})
        except BaseException:
            self.close_all()
            raise

    def _replace(self, kind: str, definitions: dict[str, str]) -> None:
        """Create triggers or indexes, by name, in place of those of the same names that are defined in another way."""
        wanted = {name: f"CREATE {kind} {definition}" for name, definition in definitions.items()}
        found = self.execute("SELECT name, sql FROM sqlite_master WHERE type = ?", kind.lower())
        defined = {str(name): str(sql) for name, sql in found}
        different = {name: statement for name, statement in wanted.items() if defined.get(name) != statement}
        if not different:
            return
        with self._transact():
            for name, statement in different.items():
                self.execute(f"DROP {kind} IF EXISTS {name}")
                self.execute(statement)

    @property
    def _con(self) -> _Connection:
        """The connection of this thread in this process, opened as diskcache would."""
        if self._closed:
            raise sqlite3.ProgrammingError("it is closed")
        local = self._local
        if getattr(local, "pid", None) != os.getpid():
            local.con = None
            local.pid = os.getpid()
        if getattr(local, "con", None) is None:
            local.con = sqlite3.connect(
                f"{(Path(self._directory) / DBNAME).as_uri()}?mode=rw",  # never creates another database
                uri=True,
                timeout=self._lock_timeout,  # diskcache would not wait for locks while it opens the database
                isolation_level=None,
                check_same_thread=False,  # so that `close_all` can close it
                factory=_Connection,
            )
            self._refuse_another_database()
            local.con.text_factory = partial(str, encoding="utf-8", errors="replace")  # damaged text must not raise
            self._connections.add(local.con)
            for pragma in ("synchronous", "cache_size", "mmap_size"):
                local.con.execute(f"PRAGMA {pragma} = {_SETTINGS['sqlite_' + pragma]}")
        connection: _Connection = local.con
        return connection

    def _refuse_another_database(self) -> None:
        """Raise OperationalError if the database at the path is not the one that was opened first."""
        try:
            status = (Path(self._directory) / DBNAME).stat()
        except OSError as error:
            raise sqlite3.OperationalError(f"the database was removed: {error.strerror}") from error
        self._inode = self._inode or (status.st_dev, status.st_ino)
        if self._inode != (status.st_dev, status.st_ino):
            raise sqlite3.OperationalError("the database was replaced")

    def reset(self, key: str, value: Value = ENOVAL, update: bool = True) -> Value:
        """Read or write a setting. Only known names, since diskcache sets an attribute for each name that it finds.

        Raises:
            ValueError: there is no such setting.
        """
        if key not in _SETTINGS and key not in METADATA:
            raise ValueError(f"unknown setting {key!r}")
        setting: Value = super().reset(key, value, update)
        return setting

    def close_all(self) -> None:
        """Close the connections of all threads. The table cannot be used any more."""
        self._closed = True
        for connection in list(self._connections):
            connection.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn the errors of SQLite, diskcache and the file system into StoreError."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, diskcache.Timeout) as error:
            if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                with suppress(OSError):
                    (Path(self.directory) / FOUND_DAMAGED).touch(mode=0o600)
            with suppress(sqlite3.Error):
                self.close()  # a failed COMMIT leaves the transaction open, which would lock out all others
            # diskcache's Timeout hides why the transaction could not begin
            reason = (error.__context__ or "locked") if isinstance(error, diskcache.Timeout) else error
            raise StoreError(f"the store in {self.directory} failed: {reason}") from error

    @contextmanager
    def exclusive(self) -> Iterator[tuple[Execute, Callable[[Value], None]]]:
        """Exclude all other writers until the block ends, then commit.

        Yields two functions: one executes a statement in the transaction, one registers a file to be removed after it.

        Raises:
            StoreError: nothing was changed.
        """
        # Threads of this process wait here, since SQLite polls for its lock and is unfair
        if not self._write_lock.acquire(timeout=self._lock_timeout):
            raise StoreError(f"the store in {self.directory} is locked")
        try:
            with self.failures(), self._transact() as (sql, discard):
                yield lambda statement, *parameters: sql(statement, parameters).fetchall(), discard
        finally:
            self._write_lock.release()

    @contextmanager
    def synced(self) -> Iterator[None]:
        """Make the transactions of this thread wait until the disk has them, until the block ends."""
        with self.failures():
            self.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            with self.failures():
                self.execute(f"PRAGMA synchronous = {_SETTINGS['sqlite_synchronous']}")

    def head(self, key: str) -> tuple[bytes, int] | None:
        """Return the value of a head row and the number of the last purge before it, or None if there is no such row.

        Raises:
            RowError: the row holds anything else.
        """
        for mode, name, value, number in self.execute(_ROW, f"u:{key}"):
            if mode != MODE_RAW or name is not None or type(value) is not bytes:
                raise RowError("a head row without a value")
            return value, number if isinstance(number, int) else 0
        return None

    def body(self, entry_id: str) -> tuple[bytes | FileIO, int] | None:
        """Return the bytes of a body or its file, opened, and the number of the last purge before it.

        None if there is no such row or file. Raises RowError if the row holds anything else.
        """
        for mode, name, value, number in self.execute(_ROW, f"b:{entry_id}"):
            with suppress(OSError):  # the file does not exist
                fetched: bytes | FileIO = self.disk.fetch(mode, name, value, read=True)
                return fetched, number if isinstance(number, int) else 0
        return None

    def keys(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Iterate over the primary keys with a prefix, in order. Keys stored in the meantime may be included.

        With `after` and no prefix, the keys behind that one.
        """
        last = b"u:" + (prefix.encode()[:-1] or after.encode())
        while page := self._page_of_keys(last):
            for last in page:
                try:
                    key = last.decode()
                except UnicodeDecodeError:
                    self.execute("DELETE FROM Cache WHERE key = CAST(? AS TEXT)", last)
                else:
                    name = key.removeprefix("u:")
                    if name.startswith(prefix):
                        yield name
                    elif name > prefix:
                        return

    def file_names(self, prefix: str = "") -> set[str]:
        """Return the names of the body files in the rows, all or those with a prefix."""
        found = self.execute("SELECT filename FROM Cache WHERE filename >= ? AND filename < ?", prefix, f"{prefix}\x7f")
        return {str(name) for (name,) in found}

    def bytes_in_use(self) -> int:
        """Return the number of bytes in use: pages of the database, and body files."""
        pages = integer(self.execute("PRAGMA page_count")) - integer(self.execute("PRAGMA freelist_count"))
        files = integer(self.execute("SELECT CAST(value AS INTEGER) FROM Settings WHERE key = 'size'"))
        return pages * integer(self.execute("PRAGMA page_size")) + files

    def recount_file_bytes(self) -> None:
        """Count the bytes of body files again, since the stored number is not trusted. Raises StoreError."""
        with self.exclusive():
            self.execute(_RECOUNT_FILE_BYTES)

    def version(self) -> int:
        """Return a number that differs after another connection has committed a change."""
        return integer(self.execute("PRAGMA data_version"))

    def execute(self, statement: str, *parameters: Value) -> list[tuple[Value, ...]]:
        """Execute a statement and return its rows."""
        found: list[tuple[Value, ...]] = self._sql(statement, parameters).fetchall()
        return found

    def _page_of_keys(self, last: bytes) -> list[bytes]:
        rows: list[tuple[bytes]] = self._sql(_PAGE_OF_KEYS, (last,)).fetchall()
        return [key for (key,) in rows]


def integer(rows: list[tuple[Value, ...]]) -> int:
    """Return the one number that a statement found, or 0 if it found none."""
    return next((value for (value,) in rows if isinstance(value, int)), 0)
