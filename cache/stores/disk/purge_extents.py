"""The extent of a purge: how many bodies it would delete or mark, and how many bytes they have.

What an earlier purge covers whose deletions are under way is not counted, as far as that can be told without reading
the responses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from cache.stores.base import Extent
from cache.stores.disk.head_rows import variants_in
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.rows import Rows, Value, integer
from cache.stores.disk.tag_index import hash_of
from cache.stores.purge_scopes import ALL, Scope, ranges_of
from cache.stores.purges import KnownPurges

_COUNT = "SELECT COUNT(*) FROM Cache WHERE tag >= ? AND tag < ?"
_MEASURE = "SELECT COUNT(*), SUM(MAX(size, COALESCE(length(value), 0))) FROM Cache WHERE tag >= ? AND tag < ?"
_PURGED = " AND access_count >= ? AND access_count < ?"

_COUNT_WITH_TAG = "SELECT COUNT(*) FROM Tag WHERE hash = ? AND number >= ?"
_COUNT_TAGGED = "SELECT COUNT(DISTINCT body) FROM Tag WHERE hash IN (SELECT value FROM json_each(?)) AND number >= ?"
_MEASURE_TAGGED = """
    SELECT COUNT(*), SUM(MAX(size, COALESCE(length(value), 0))) FROM Cache WHERE rowid IN
    (SELECT body FROM Tag WHERE hash IN (SELECT value FROM json_each(?)) AND number >= ?)
"""

_PAGE = """
    SELECT rowid, tag, access_count, MAX(size, COALESCE(length(value), 0)) FROM Cache
    WHERE (tag, rowid) > (?, ?) AND tag < ? ORDER BY tag, rowid LIMIT 500
"""


class PurgeExtents:
    """Counts what scopes cover in a store on disk, apart from what earlier purges cover."""

    def __init__(self, rows: Rows, purges: PurgeTable) -> None:
        """Use the purges that there are now as the earlier ones. Raises StoreError."""
        self._rows = rows
        self._last = purges.load()
        self._pending = [(scope, number) for scope, number in purges.pending() if not scope.soft]
        self._earlier = KnownPurges()
        self._earlier.learn([(scope.text, number) for scope, number in self._pending], self._last)
        self._all_purged = max((number for scope, number in self._pending if scope.name == ALL), default=0)

    def counted(self, scopes: Sequence[Scope]) -> Extent:
        """Return the number of bodies that scopes cover, without their bytes. Raises StoreError."""
        if all(scope.tag is not None for scope in scopes):
            with self._rows.failures():
                if len(scopes) == 1:
                    [tag], number = [scope.tag for scope in scopes], self._hashes_and_number(scopes)[1]
                    return Extent(integer(self._rows.execute(_COUNT_WITH_TAG, hash_of(tag or ""), number)))
                return Extent(integer(self._rows.execute(_COUNT_TAGGED, *self._hashes_and_number(scopes))))
        if all(scope.is_range for scope in scopes):
            return Extent(sum(self._in_ranges(scope, _COUNT)[0] for scope in scopes))
        return self._compared(scopes)

    def measured(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and bytes of the bodies that scopes cover. Raises StoreError."""
        if all(scope.tag is not None for scope in scopes):
            return Extent(*self._sums(_MEASURE_TAGGED, *self._hashes_and_number(scopes)))
        if all(scope.is_range for scope in scopes):
            sums = [self._in_ranges(scope, _MEASURE) for scope in scopes]
            return Extent(sum(count for count, _ in sums), sum(size for _, size in sums))
        return self._compared(scopes)

    def _hashes_and_number(self, scopes: Sequence[Scope]) -> tuple[str, int]:
        tags = {scope.tag for scope in scopes}
        same = [number for scope, number in self._pending if scope.tag in tags and len(tags) == 1]
        return json.dumps([hash_of(tag) for tag in tags if tag is not None]), max([self._all_purged, *same])

    def _in_ranges(self, scope: Scope, statement: str) -> tuple[int, int]:
        """Return number and size of the bodies in the key ranges of a scope, without those that were purged."""
        count = size = 0
        for start, stop in scope.key_ranges():
            found = self._sums(statement, start, stop)
            count, size = count + found[0], size + found[1]
            for pending, number in self._pending:
                since = 0 if pending.name == ALL else self._all_purged  # no row is subtracted twice
                if not pending.is_range or since >= number:
                    continue
                for first, last in pending.key_ranges():
                    if max(start, first) < min(stop, last):  # else there is nothing to look at
                        both = max(start, first), min(stop, last)
                        found = self._sums(statement + _PURGED, *both, since, number)
                        count, size = count - found[0], size - found[1]
        return max(0, count), max(0, size)

    def _sums(self, statement: str, *parameters: Value) -> tuple[int, int]:
        with self._rows.failures():
            row = self._rows.execute(statement, *parameters)[0]
        count, size = row[0], row[1] if len(row) > 1 else 0
        return count if isinstance(count, int) else 0, size if isinstance(size, int) else 0

    def _compared(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and size of the bodies that scopes cover, after comparing each with them."""
        if any(scope.needs_entry for scope in scopes):
            return _extent(self._lengths_of_entries(scopes))
        return _extent(
            length
            for key, number, length in self._bodies(scopes)
            if any(scope.may_cover(key) for scope in scopes) and not self._earlier.covers(key, number)
        )

    def _lengths_of_entries(self, scopes: Sequence[Scope]) -> Iterator[int]:
        """Iterate over the lengths of the responses that scopes cover, of which each is read."""
        seen = ""
        for key, _, _ in self._bodies(scopes):
            if key == seen or not any(scope.may_cover(key) for scope in scopes):
                continue
            seen = key
            with self._rows.failures():
                variants = variants_in(self._rows, key, self._earlier) or []
            yield from (entry.length for entry, _ in variants if any(scope.covers(entry) for scope in scopes))

    def _bodies(self, scopes: Sequence[Scope]) -> Iterator[tuple[str, int, int]]:
        """Iterate over key, number of the last purge before, and bytes of the bodies that may be covered, by key."""
        for start, stop in ranges_of(scopes):
            after, last = start, 0
            while True:
                with self._rows.failures():
                    page = self._rows.execute(_PAGE, after, last, stop)
                if not page:
                    break
                for _, key, number, length in page:
                    if not (isinstance(key, str) and isinstance(number, int) and isinstance(length, int)):
                        continue
                    if number <= self._last:  # else it was stored after the purge whose extent this is
                        yield key, number, length
                after, last = str(page[-1][1]), int(str(page[-1][0]))


def _extent(lengths: Iterable[int]) -> Extent:
    """Return number and bytes of bodies of these lengths."""
    copies = size = 0
    for length in lengths:
        copies, size = copies + 1, size + length
    return Extent(copies, size)
