"""Changes to the rows: all of a transaction's, or none, whatever happens in between."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cache.stores.base import StoreError
from cache.stores.disk.rows import Execute, Rows, Value
from cache.stores.disk.spool import Spool
from cache.stores.generations import Generations

_PUT = """
    INSERT INTO Cache (key, raw, store_time, access_time, tag, size, mode, filename, value)
    VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_OVER = (
    _PUT
    + """ON CONFLICT (key, raw) DO UPDATE SET store_time = excluded.store_time, expire_time = NULL, tag = excluded.tag,
    size = excluded.size, mode = excluded.mode, filename = excluded.filename, value = excluded.value"""
)
_TOUCH = """
    UPDATE Cache SET access_time = used.value FROM json_each(?) AS used WHERE Cache.key = used.key AND Cache.raw = 1
"""


@contextmanager
def transaction(rows: Rows, generations: Generations) -> Iterator[Transaction]:
    """Begin a transaction that all threads and processes respect. The files of dropped rows go once it is committed.

    Raises:
        StoreError: nothing was changed.
    """
    slots: set[int] = set()
    begun: int | None = None
    try:
        with rows.exclusive() as (execute, discard):
            changes = Transaction(rows, generations, execute, discard)
            version = rows.version()
            yield changes
            slots = changes.slots
            changes.before = {slot: generations.settled(slot) for slot in slots}
            begun = generations.begin_change(slots)
    except BaseException:
        generations.end_change(slots, begun)
        raise
    generation = generations.end_change(slots, begun)
    with suppress(StoreError), rows.failures():
        if rows.version() == version:  # else the slots may say less than others have changed meanwhile
            changes.generation = generation


@dataclass(frozen=True, slots=True)
class Candidate:
    """A body that may have to go."""

    rowid: Value
    entry_id: str
    key: str
    used: float
    """Last, in seconds since the epoch."""


class Transaction:
    """What can be done in a transaction."""

    def __init__(
        self, rows: Rows, generations: Generations, execute: Execute, discard: Callable[[Value], None]
    ) -> None:
        self._rows = rows
        self.generations = generations
        self._execute = execute
        self._discard = discard
        self._now = time.time()
        self.slots: set[int] = set()
        """The slots of the primary keys under which something changes."""
        self.before: dict[int, int | None] = {}
        """What they held before."""
        self.generation: int | None = None
        """What they hold once it is committed, if nobody else has changed anything by then."""

    def is_untouched(self, key: str) -> bool:
        """Tell whether surely nothing is stored under a key."""
        slot = self.generations.slot(key)
        return slot not in self.slots and self.generations.settled(slot) == 0

    def put_head(self, key: str, octets: bytes) -> None:
        """Write the head row of a primary key."""
        self.slots.add(self.generations.slot(key))
        self._execute(_PUT_OVER, f"u:{key}", self._now, self._now, None, *self._rows.disk.store(octets, read=False))

    def rewrite_head(self, key: str, octets: bytes) -> bool:
        """Write the head row of a primary key anew if there is one; tell whether there was."""
        self.slots.add(self.generations.slot(key))
        rewrite = "UPDATE Cache SET store_time = ?, value = ? WHERE key = ? RETURNING 1"
        return bool(self._execute(rewrite, self._now, octets, f"u:{key}"))

    def drop_head(self, key: str) -> None:
        """Drop the head row of a primary key, if there is one."""
        self.slots.add(self.generations.slot(key))
        self._execute("DELETE FROM Cache WHERE key = ?", f"u:{key}")

    def put_body(self, entry_id: str, key: str, body: bytes | Spool, used: float) -> None:
        """Write a body row. Raises StoreError if there is one of that id."""
        if isinstance(body, Spool) and self._execute("SELECT 1 FROM Cache WHERE key = ?", f"b:{entry_id}"):
            raise StoreError(f"the id {entry_id} is taken")
        try:
            columns = self._rows.disk.store(body, read=False)
            self._execute(_PUT, f"b:{entry_id}", self._now, used, key, *columns)
        except sqlite3.IntegrityError as error:
            raise StoreError(f"the id {entry_id} is taken") from error

    def bodies_of(self, key: str) -> dict[str, float]:
        """Return when the bodies under a key were last used, by entry id, in seconds since the epoch."""
        used = self._execute("SELECT key, access_time FROM Cache WHERE tag = ? ORDER BY access_time, rowid", key)
        return {str(each).removeprefix("b:"): _seconds(seconds) for each, seconds in used}

    def drop_bodies(self, key: str, but: Collection[str]) -> None:
        """Drop the bodies under a key, except those whose entry ids are given."""
        kept = {f"b:{each}" for each in but}
        for rowid, row_key, name in self._execute("SELECT rowid, key, filename FROM Cache WHERE tag = ?", key):
            if row_key not in kept:
                self._drop_row(rowid, name)

    def least_recently_used(self) -> Candidate | None:
        """Return the body whose last use was longest ago, or None if none is left."""
        oldest = "SELECT rowid, key, tag, access_time FROM Cache WHERE tag IS NOT NULL ORDER BY access_time LIMIT 1"
        for rowid, row_key, tag, seconds in self._execute(oldest):
            return Candidate(rowid, str(row_key).removeprefix("b:"), str(tag), _seconds(seconds))
        return None

    def drop_body(self, body: Candidate) -> None:
        """Drop a body."""
        for (name,) in self._execute("SELECT filename FROM Cache WHERE rowid = ?", body.rowid):
            self._drop_row(body.rowid, name)

    def touch(self, used: Mapping[str, float]) -> None:
        """Note when bodies were last used: seconds since the epoch by entry id."""
        # in one statement, which lets other threads go on: there may be tens of thousands
        self._execute(_TOUCH, json.dumps({f"b:{each}": seconds for each, seconds in used.items()}))

    def clear(self) -> None:
        """Drop every row."""
        self.slots.update(map(self.generations.slot, self._rows.keys()))
        for name in self._rows.file_names():
            self._discard(name)
        self._execute("DELETE FROM Cache")

    def _drop_row(self, rowid: Value, name: Value) -> None:
        self._execute("DELETE FROM Cache WHERE rowid = ?", rowid)
        self._discard(name)


def _seconds(value: Value) -> float:
    """A time out of a row, which may hold anything."""
    return value if isinstance(value, float) else 0.0
