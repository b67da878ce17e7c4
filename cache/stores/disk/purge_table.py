"""The purges of a store on disk: a table in its database, and what this process has read of it.

The table survives a restart and a crash, since it is in the same file as the stored responses. The generation table
has a number that changes with every purge, so that no process has to ask the database whether there was one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from diskcache.core import DBNAME

from cache.stores.base import StoreError
from cache.stores.disk.rows import Execute, Rows, Value, integer
from cache.stores.generations import Generations
from cache.stores.purge_scopes import Scope, Where, scope_of
from cache.stores.purges import MAX_CONDITIONS, REMEMBERED, KnownPurges

_READ = "SELECT tag, number, done FROM Purge WHERE number > ?"
_PENDING = "SELECT tag, number FROM Purge WHERE NOT done ORDER BY number"
_COUNT_CONDITIONS = "SELECT COUNT(*) FROM Purge WHERE NOT done AND (tag GLOB 'where:*' OR tag GLOB 'soft where:*')"
_LAST = "SELECT COALESCE(MAX(number), 0) FROM Purge"
_ADD = "INSERT OR REPLACE INTO Purge (tag, number) VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM Purge))"
MAX_PENDING = MAX_CONDITIONS // 2
"""Purges by conditions that may be under way. Fewer than are remembered, so that none of them is forgotten."""
_PRUNE = "DELETE FROM Purge WHERE done AND number <= (SELECT MAX(number) FROM Purge) - ?"


class PurgeTable(KnownPurges):
    """The purges of one store on disk. What is written now has the number of the last purge."""

    def __init__(self, directory: Path, rows: Rows, generations: Generations) -> None:
        """Use the table in the database in `directory`."""
        super().__init__()
        self._rows = rows
        self._generations = generations
        self._version: int | None = None
        self._lock = Lock()
        self._learning = Lock()
        """Held while what was read becomes known. Nothing is read meanwhile, so that nobody waits for the disk."""
        # for reads that never wait, from any thread
        self._connection = sqlite3.connect(
            f"{(directory / DBNAME).as_uri()}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )

    def number(self) -> int | None:
        """Return the number of the last purge, or None if it takes a thread to find out. Never waits."""
        if self._version != self._generations.purge_version():
            try:
                self._read(self._execute_quickly)
            except sqlite3.Error:
                return None
        return self._number

    def load(self) -> int:
        """Return the number of the last purge. Raises StoreError."""
        if self._version != self._generations.purge_version():
            with self._rows.failures():
                self._read(self._rows.execute)
        return self._number

    def load_in(self, execute: Execute) -> int:
        """Return the number of the last purge, as it is within a transaction."""
        number = integer(execute(_LAST))
        if number != self._number:
            self._read(execute)
        return number

    def _execute_quickly(self, statement: str, *parameters: Value) -> list[tuple[Value, ...]]:
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()

    def _read(self, execute: Execute) -> None:
        version = self._generations.purge_version()  # first: a purge that comes later is read again
        finished = self.pending_conditions
        if finished:  # before the others are read: one that is repeated has a new number, and no row for the old one
            finished -= {number for _, number in _purges_in(execute(_PENDING))}
        found = execute(_READ, self._number)
        purges, done = _purges_in(found), {each for _, each, is_done in found if is_done and isinstance(each, int)}
        with self._learning:  # threads that read at once end in any order
            self.learn(purges, max((number for _, number in purges), default=0), {*finished, *done})
        if self.knows_too_many:
            last, pending = self._number, _purges_in(execute(_PENDING))
            with self._learning:
                self.forget_old(last, pending)
        self._version = version

    def add(self, scopes: Iterable[Scope]) -> list[int]:
        """Store a purge of each of some scopes, and let all processes know. Return their numbers.

        It survives a power failure.

        Raises:
            StoreError: nothing is purged.
        """
        scopes = tuple(scopes)
        with self._rows.synced(), self._rows.exclusive() as (execute, _):
            if any(isinstance(scope, Where) for scope in scopes) and integer(execute(_COUNT_CONDITIONS)) >= MAX_PENDING:
                raise StoreError("too many purges by patterns are still being carried out; try again in some seconds")
            numbers = []
            for scope in scopes:
                execute(_ADD, scope.text)
                numbers.append(integer(execute(_LAST)))
        slots = [self._generations.slot(key) for scope in scopes if (key := scope.key) is not None]
        self._generations.end_change(slots)  # what is in memory of a URL does not know its name
        self._generations.note_purge()
        self.load()
        return numbers

    def pending(self) -> list[tuple[Scope, int]]:
        """Return scope and number of the purges that are not carried out yet, in their order. Raises StoreError."""
        with self._rows.failures():
            found = _purges_in(self._rows.execute(_PENDING))
        return [(scope_of(text), number) for text, number in found]

    def finish(self, number: int) -> None:
        """Record that nothing is left to delete or to mark of what a purge covers. Raises StoreError."""
        with self._rows.exclusive() as (execute, _):
            execute("UPDATE Purge SET done = 1 WHERE number = ?", number)
            execute(_PRUNE, REMEMBERED)

    def note_finished(self) -> None:
        """Let all processes know that purges are carried out, so that they do not compare what they read with them."""
        self._generations.note_purge()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def _purges_in(rows: Iterable[tuple[Value, ...]]) -> list[tuple[str, int]]:
    """Return text and number of each purge in some rows, without those that are of other types."""
    return [(tag, number) for tag, number, *_ in rows if isinstance(tag, str) and isinstance(number, int)]
