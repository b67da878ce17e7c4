"""Changes to the rows: all of a transaction's, or none, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from cache.stores.base import StoreError
from cache.stores.generations import Generations
from cache.stores.rows import Rows, Value
from cache.stores.spool import Spool

_DELETE_STRAYS = """
    DELETE FROM Cache WHERE raw IS NOT 1 OR typeof(key) IS NOT 'text' OR NOT (
        (key GLOB 'u:*' AND tag IS NULL AND filename IS NULL)
        OR (key GLOB 'b:*' AND EXISTS (
            SELECT 1 FROM Cache AS head WHERE head.key = 'u:' || Cache.tag AND head.raw = 1)))
"""


@contextmanager
def transaction(rows: Rows, generations: Generations) -> Iterator[Transaction]:
    """Begin a transaction that all threads and processes respect. The files of dropped rows go once it is committed.

    Raises:
        StoreError: nothing was changed.
    """
    slots: set[int] = set()
    try:
        with rows.exclusive() as discard:
            changes = Transaction(rows, discard)
            yield changes
            slots.update(map(generations.slot, changes.keys))
            generations.begin_change(slots)
    finally:
        generations.end_change(slots)


class Transaction:
    """What can be done in a transaction."""

    def __init__(self, rows: Rows, discard: Callable[[Value], None]) -> None:
        self._rows = rows
        self._discard = discard
        self.keys: set[str] = set()
        """The primary keys under which something changes."""

    def put_head(self, key: str, octets: bytes) -> None:
        """Write the head row of a primary key."""
        self.keys.add(key)
        self._rows.set(f"u:{key}", octets)

    def drop_head(self, key: str) -> None:
        """Drop the head row of a primary key, if there is one."""
        self.keys.add(key)
        self._rows.execute("DELETE FROM Cache WHERE key = ?", f"u:{key}")

    def put_body(self, entry_id: str, key: str, body: bytes | Spool) -> None:
        """Write a body row. Raises StoreError if there is one of that id."""
        if self._rows.execute("SELECT 1 FROM Cache WHERE key = ?", f"b:{entry_id}"):
            raise StoreError(f"the id {entry_id} is taken")
        self._rows.set(f"b:{entry_id}", body, tag=key)

    def bodies_of(self, key: str) -> list[str]:
        """Return the entry ids of the bodies under a key, least recently used first."""
        ids = self._rows.execute("SELECT key FROM Cache WHERE tag = ? ORDER BY access_time, rowid", key)
        return [str(each).removeprefix("b:") for (each,) in ids]

    def drop_bodies(self, key: str, but: Collection[str]) -> None:
        """Drop the bodies under a key, except those whose entry ids are given."""
        kept = {f"b:{each}" for each in but}
        for rowid, row_key, name in self._rows.execute("SELECT rowid, key, filename FROM Cache WHERE tag = ?", key):
            if row_key not in kept:
                self._drop_row(rowid, name)

    def pop_least_recently_used(self) -> tuple[str, str] | None:
        """Drop the body that was not used for longest; return its entry id and key, or None if there is none."""
        oldest = "SELECT rowid, key, tag, filename FROM Cache WHERE tag IS NOT NULL ORDER BY access_time LIMIT 1"
        for rowid, row_key, tag, name in self._rows.execute(oldest):
            self._drop_row(rowid, name)
            return str(row_key).removeprefix("b:"), str(tag)
        return None

    def touch(self, used: Mapping[str, float]) -> None:
        """Note when bodies were last used: seconds since the epoch by entry id."""
        for entry_id, seconds in used.items():
            self._rows.execute("UPDATE Cache SET access_time = ? WHERE key = ?", seconds, f"b:{entry_id}")

    def drop_strays(self) -> None:
        """Drop bodies without a head, and rows that are not written here; count the octets of files anew."""
        self._rows.execute(_DELETE_STRAYS)
        self._rows.execute("UPDATE Settings SET value = (SELECT COALESCE(SUM(size), 0) FROM Cache) WHERE key = 'size'")

    def clear(self) -> None:
        """Drop every row."""
        self.keys.update(self._rows.keys())
        for name in self._rows.file_names():
            self._discard(name)
        self._rows.execute("DELETE FROM Cache")

    def _drop_row(self, rowid: Value, name: Value) -> None:
        self._rows.execute("DELETE FROM Cache WHERE rowid = ?", rowid)
        self._discard(name)
