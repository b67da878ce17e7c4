"""A transaction on the rows: all of its changes are made, or none."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cache.stores.base import StoreError
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.rows import Execute, Rows, Value
from cache.stores.disk.spool import Spool
from cache.stores.generations import Generations

_PUT = """
    INSERT INTO Cache (key, raw, store_time, access_time, access_count, tag, size, mode, filename, value)
    VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_OVER = (
    _PUT
    + """ON CONFLICT (key, raw) DO UPDATE SET store_time = excluded.store_time, expire_time = NULL,
    access_count = excluded.access_count, tag = excluded.tag, size = excluded.size, mode = excluded.mode,
    filename = excluded.filename, value = excluded.value"""
)
_TOUCH = """
    UPDATE Cache SET access_time = used.value FROM json_each(?) AS used WHERE Cache.key = used.key AND Cache.raw = 1
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
            slots = transaction.slots
            transaction.before = {slot: generations.stable_value(slot) for slot in slots}
            begun = generations.begin_change(slots)
    except BaseException:
        generations.end_change(slots, begun)
        raise
    generation = generations.end_change(slots, begun)
    with suppress(StoreError), rows.failures():
        if rows.version() == version:  # else another connection has committed since, perhaps under the same keys
            transaction.generation = generation


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
        self._execute = execute
        self._discard = discard
        self._now = time.time()
        self.last_purge = purges.load_in(execute)
        """Number of the last purge before the transaction."""
        self.slots: set[int] = set()
        """Slots of the primary keys under which something changes."""
        self.before: dict[int, int | None] = {}
        """Values of these slots before the transaction; set by the commit."""
        self.generation: int | None = None
        """Value of these slots after the commit; None if another connection has committed meanwhile."""

    def is_known_empty(self, key: str) -> bool:
        """Return whether it is certain, without a query, that nothing is stored under a key."""
        slot = self.generations.slot(key)
        return slot not in self.slots and self.generations.stable_value(slot) == 0

    def put_head(self, key: str, row: bytes) -> None:
        """Write the head row of a primary key."""
        self.slots.add(self.generations.slot(key))
        columns = (self._now, self._now, self.last_purge, None, *self._rows.disk.store(row, read=False))
        self._execute(_PUT_OVER, f"u:{key}", *columns)

    def rewrite_head(self, key: str, row: bytes) -> bool:
        """Replace the head row of a primary key, if it exists. Return whether it exists."""
        self.slots.add(self.generations.slot(key))
        rewrite = "UPDATE Cache SET store_time = ?, access_count = ?, value = ? WHERE key = ? RETURNING 1"
        return bool(self._execute(rewrite, self._now, self.last_purge, row, f"u:{key}"))

    def drop_head(self, key: str) -> None:
        """Delete the head row of a primary key, if it exists."""
        self.slots.add(self.generations.slot(key))
        self._execute("DELETE FROM Cache WHERE key = ?", f"u:{key}")

    def put_body(self, entry_id: str, key: str, body: bytes | Spool, used: float) -> None:
        """Write a body row. Raises StoreError if there is one for that id."""
        # A spool file is moved before its row is inserted, so the id is checked first
        if isinstance(body, Spool) and self._execute("SELECT 1 FROM Cache WHERE key = ?", f"b:{entry_id}"):
            raise StoreError(f"the id {entry_id} is taken")
        try:
            columns = (self._now, used, self.last_purge, key, *self._rows.disk.store(body, read=False))
            self._execute(_PUT, f"b:{entry_id}", *columns)
        except sqlite3.IntegrityError as error:
            raise StoreError(f"the id {entry_id} is taken") from error

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

    def _drop_row(self, rowid: Value, name: Value) -> None:
        self._execute("DELETE FROM Cache WHERE rowid = ?", rowid)
        self._discard(name)


def _seconds(value: Value) -> float:
    """Return a time from a row as a float; 0 if the row holds something else."""
    return value if isinstance(value, float) else 0.0
