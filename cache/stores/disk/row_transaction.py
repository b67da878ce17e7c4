"""A transaction on the rows: all of its changes are made, or none."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from diskcache.core import MODE_RAW

from cache.rules.freshness import made_at
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.rows import Execute, Rows, Value
from cache.stores.disk.spool import Spool
from cache.stores.disk.tag_index import add_tags, replace_tags
from cache.stores.generations import Generations

_INTO = "INSERT INTO Cache (key, raw, store_time, access_time, access_count, tag, size, mode, filename, value) VALUES "
_PUT = _INTO + "(?, 1, ?, ?, ?, ?, ?, ?, ?, ?)"
_OVER = """
    ON CONFLICT (key, raw) DO UPDATE SET store_time = excluded.store_time, expire_time = NULL,
    access_time = excluded.access_time, access_count = excluded.access_count, tag = excluded.tag,
    size = excluded.size, mode = excluded.mode, filename = excluded.filename, value = excluded.value
"""
_ADDED_AT_ONCE = 32
"""Entries whose rows are written by one statement: SQLite lets other threads run once for each statement."""
_TOUCH = """
    UPDATE Cache SET access_time = used.value FROM json_each(?) AS used WHERE Cache.key = used.key AND Cache.raw = 1
"""

_REWRITE = "UPDATE Cache SET store_time = ?, access_time = ?, access_count = ?, value = ? WHERE key = ? RETURNING 1"
_TOUCH_FOUND = """
    UPDATE Cache SET access_time = ? WHERE key IN (SELECT value FROM json_each(?)) AND raw = 1 RETURNING key
"""


@contextmanager
def row_transaction(rows: Rows, generations: Generations, purges: PurgeTable) -> Iterator[RowTransaction]:
    """Begin a transaction that excludes all other threads and processes. Files of deleted rows are removed after it.

    Raises:
        StoreError: nothing was changed.
    """
    slots: set[int] = set()
    begun: int | None = None
    try:
        with rows.exclusive() as (execute, discard):
            transaction = RowTransaction(rows, generations, purges, execute, discard)
            version = rows.version()
            yield transaction
            transaction.write_added()
            slots = transaction.slots
            transaction.before = {slot: generations.stable_value(slot) for slot in slots}
            begun = generations.begin_change(slots)
            if transaction.removes:  # last: a process that knows the version before this one may not know the slots
                generations.note_removal()
    except BaseException:
        generations.end_change(slots, begun)
        raise
    generation = generations.end_change(slots, begun)
    with suppress(StoreError), rows.failures():
        if rows.version() == version:  # else another connection has committed since, perhaps under the same keys
            transaction.generation = generation


class IdTaken(StoreError):
    """There is a body row for the id of a new entry."""


@dataclass(frozen=True, slots=True)
class EvictionCandidate:
    """The body row whose recorded last use is the oldest."""

    rowid: Value
    entry_id: str
    key: str
    used: float
    """Last use, in seconds since the epoch."""


class RowTransaction:
    """The changes that a transaction can make."""

    def __init__(
        self,
        rows: Rows,
        generations: Generations,
        purges: PurgeTable,
        execute: Execute,
        discard: Callable[[Value], None],
    ) -> None:
        self._rows = rows
        self.generations = generations
        self.purges = purges
        self._execute_now = execute
        self._discard = discard
        self._added: list[tuple[tuple[Value, ...], tuple[Value, ...]]] = []
        """The columns of each body row that waits to be written, and of its head row."""
        self._tagged: list[tuple[str, str]] = []
        """Id and tags of the entries among them that have tags."""
        self._now = time.time()
        self.last_purge = purges.load_in(execute)
        """Number of the last purge before the transaction."""
        self.slots: set[int] = set()
        """Slots of the primary keys under which something changes."""
        self.before: dict[int, int | None] = {}
        """Values of these slots before the transaction; set by the commit."""
        self.removes = False
        """Something is deleted or invalidated."""
        self.generation: int | None = None
        """Value of these slots after the commit; None if another connection has committed meanwhile."""

    def _execute(self, statement: str, *parameters: Value) -> list[tuple[Value, ...]]:
        """Execute a statement after what was added, and return its rows."""
        self.write_added()
        return self._execute_now(statement, *parameters)

    def is_known_empty(self, key: str) -> bool:
        """Return whether it is certain, without a query, that nothing is stored under a key."""
        slot = self.generations.slot(key)
        return slot not in self.slots and self.generations.stable_value(slot) == 0

    def add(self, row: bytes, entry: StoredResponse, body: bytes, used: float) -> None:
        """Write the head row and the only body row of a primary key that has none. They may wait for `write_added`."""
        self.slots.add(self.generations.slot(entry.key))
        key, now, made, purge = entry.key, self._now, made_at(entry), self.last_purge
        self._added.append(((f"b:{entry.id}", used, used, purge, key, body), (f"u:{key}", now, made, purge, row)))
        self._tagged += [(entry.id, entry.tags)] if entry.tags else []
        if len(self._added) >= _ADDED_AT_ONCE:
            self.write_added()

    def write_added(self) -> None:
        """Write the rows that wait. Called before the end, and before rows are read in another way.

        Raises:
            IdTaken: there is a body row for the id of one of them; none of them was written.
        """
        if not self._added:
            return
        added, self._added = self._added, []
        try:
            self._execute_now(_put_all(len(added)), *[value for rows in added for row in rows for value in row])
        except sqlite3.IntegrityError:
            self._write_apart(added)
        tagged, self._tagged = self._tagged, []
        add_tags(self._execute_now, tagged, self.last_purge)

    def _write_apart(self, added: Sequence[tuple[tuple[Value, ...], tuple[Value, ...]]]) -> None:
        """Write the body rows, then the head rows, some of which may exist. Raises IdTaken as `write_added` does."""
        put_bodies, put_heads = _put_apart(len(added))
        bodies, heads = ([value for row in rows for value in row] for rows in zip(*added, strict=True))
        try:
            self._execute_now(put_bodies, *bodies)
        except sqlite3.IntegrityError as error:
            raise IdTaken("the id of a new entry is taken") from error
        self._execute_now(put_heads, *heads)

    def replace_tags(self, entry: StoredResponse) -> None:
        """Replace the tags of the body of an entry in the index of tags."""
        self.write_added()
        replace_tags(self._execute_now, entry.id, entry.tags, self.last_purge)

    def overtake(self, key: str) -> None:
        """Let no process store what it has not written yet under a key: it is from before this transaction."""
        self.slots.add(self.generations.slot(key))

    def put_head(self, key: str, row: bytes, made: float) -> None:
        """Write the head row of a primary key. `made` is when the oldest entry was made: seconds since the epoch."""
        self.slots.add(self.generations.slot(key))
        columns = (self._now, made, self.last_purge, None, *self._rows.disk.store(row, read=False))
        self._execute(_PUT + _OVER, f"u:{key}", *columns)

    def rewrite_head(self, entry: StoredResponse, row: bytes) -> bool:
        """Replace the head row of the only entry under a key, if it exists. Return whether it exists."""
        self.slots.add(self.generations.slot(entry.key))
        columns = (self._now, made_at(entry), self.last_purge, row)
        return bool(self._execute(_REWRITE, *columns, f"u:{entry.key}"))

    def drop_head(self, key: str) -> None:
        """Delete the head row of a primary key, if it exists."""
        self.slots.add(self.generations.slot(key))
        self._execute("DELETE FROM Cache WHERE key = ?", f"u:{key}")

    def put_body(self, entry: StoredResponse, body: bytes | Spool, used: float) -> None:
        """Write the body row of an entry. Raises IdTaken if there is one for its id."""
        entry_id = entry.id
        # A spool file is moved before its row is inserted, so the id is checked first
        if isinstance(body, Spool) and self._execute("SELECT 1 FROM Cache WHERE key = ?", f"b:{entry_id}"):
            raise IdTaken(f"the id {entry_id} is taken")
        try:
            columns = (used, used, self.last_purge, entry.key, *self._rows.disk.store(body, read=False))
            self._execute(_PUT, f"b:{entry_id}", *columns)
        except sqlite3.IntegrityError as error:
            raise IdTaken(f"the id {entry_id} is taken") from error
        add_tags(self._execute, [(entry_id, entry.tags)], self.last_purge)

    def bodies_of(self, key: str) -> dict[str, float]:
        """Return the last uses of the bodies under a key, in seconds since the epoch by entry id, oldest first."""
        used = self._execute("SELECT key, access_time FROM Cache WHERE tag = ? ORDER BY access_time, rowid", key)
        return {str(each).removeprefix("b:"): _seconds(seconds) for each, seconds in used}

    def drop_bodies(self, key: str, but: Collection[str]) -> None:
        """Delete the bodies under a key, except those of the entry ids in `but`."""
        kept = {f"b:{each}" for each in but}
        for rowid, row_key, name in self._execute("SELECT rowid, key, filename FROM Cache WHERE tag = ?", key):
            if row_key not in kept:
                self._drop_row(rowid, name)

    def least_recently_used(self) -> EvictionCandidate | None:
        """Return the body whose last use was longest ago, or None if there are no bodies."""
        oldest = "SELECT rowid, key, tag, access_time FROM Cache WHERE tag IS NOT NULL ORDER BY access_time LIMIT 1"
        for rowid, row_key, tag, seconds in self._execute(oldest):
            return EvictionCandidate(rowid, str(row_key).removeprefix("b:"), str(tag), _seconds(seconds))
        return None

    def drop_body(self, body: EvictionCandidate) -> None:
        """Delete a body."""
        for (name,) in self._execute("SELECT filename FROM Cache WHERE rowid = ?", body.rowid):
            self._drop_row(body.rowid, name)

    def touch(self, used: Mapping[str, float]) -> None:
        """Write the last uses of bodies: seconds since the epoch by entry id."""
        # One statement for all, which may be tens of thousands: other threads run while SQLite executes it
        self._execute(_TOUCH, json.dumps({f"b:{each}": seconds for each, seconds in used.items()}))

    def touch_found(self, entry_ids: Collection[str], now: float) -> set[str]:
        """Write `now`, in seconds since the epoch, as the last use of bodies. Return the ids of those that exist."""
        rows = self._execute(_TOUCH_FOUND, now, json.dumps([f"b:{each}" for each in entry_ids]))
        return {str(key).removeprefix("b:") for (key,) in rows}

    def _drop_row(self, rowid: Value, name: Value) -> None:
        self._execute("DELETE FROM Cache WHERE rowid = ?", rowid)
        self._discard(name)


_BODY = f"(?, 1, ?, ?, ?, ?, 0, {MODE_RAW}, NULL, ?)"
_HEAD = f"(?, 1, ?, ?, ?, NULL, 0, {MODE_RAW}, NULL, ?)"
"""The values of a body row and of a head row, without files."""


@lru_cache(maxsize=_ADDED_AT_ONCE)
def _put_all(count: int) -> str:
    """Return the statement that writes so many body rows, each with its head row behind it."""
    return _INTO + ", ".join([_BODY, _HEAD] * count)


@lru_cache(maxsize=_ADDED_AT_ONCE)
def _put_apart(count: int) -> tuple[str, str]:
    """Return the statements that write so many body rows, and so many head rows."""
    return _INTO + ", ".join([_BODY] * count), _INTO + ", ".join([_HEAD] * count) + _OVER


def _seconds(value: Value) -> float:
    """Return a time from a row as a float; 0 if the row holds something else."""
    return value if isinstance(value, float) else 0.0
