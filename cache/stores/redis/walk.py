"""Walks over all rows in the engine: to list them, and to count what a purge covers.

A walk reads every name in the engine's database, so nothing that a request waits for does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cache.rules.stored_response import StoredResponse
from cache.stores.base import Extent
from cache.stores.codec import CodecError
from cache.stores.purge_scopes import Scope
from cache.stores.purges import KnownPurges
from cache.stores.redis.bodies import Bodies
from cache.stores.redis.engine import Engine, checked
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.rows import entries_in, number_of_row, read_row
from cache.stores.redis.scripts import DELETE_ROW


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that a walk has found."""

    key: str
    """The primary key."""
    entries: tuple[StoredResponse, ...]
    """As the purges leave them."""
    size: int
    """Bytes of the row and of the bodies."""
    token: bytes
    """The token of the row."""


class Walk:
    """A way over all rows as they are while it goes on: what is stored meanwhile may be left out."""

    def __init__(self, engine: Engine, names: KeyNames, bodies: Bodies, purges: KnownPurges) -> None:
        """See entries as these purges leave them."""
        self._engine = engine
        self._names = names
        self._bodies = bodies
        self._purges = purges

    def rows(self) -> Iterator[FoundRow]:
        """Yield all rows with entries that are not purged, in no order. Raises StoreError."""
        for page in self.pages():
            yield from page

    def pages(self, scopes: Sequence[Scope] = ()) -> Iterator[list[FoundRow]]:
        """Yield the rows in which scopes may cover something, some of one server at a time. Raises StoreError."""
        keys = [key for scope in scopes if (key := scope.key) is not None]
        if scopes and len(keys) == len(scopes):
            yield from (self._read([self._names.row(key)]) for key in dict.fromkeys(keys))
        else:
            seen: set[str] = set()  # a scan may return a name again, and while a slot moves, two servers have it
            for names in self._engine.scan(self._names.rows):
                yield self._read([name for name in dict.fromkeys(names) if name not in seen])
                seen.update(names)

    def delete(self, page: Sequence[FoundRow]) -> None:
        """Delete rows of one page with their bodies, except those that have changed since. Raises StoreError."""
        commands = [
            DELETE_ROW.call([name, *chunks], [row.token])
            for row in page
            for name, chunks in [(self._names.row(row.key), self._chunks(row))]
        ]
        if commands:
            checked(self._engine.run(self._names.row(page[0].key), commands))

    def _chunks(self, row: FoundRow) -> list[str]:
        return [name for entry in row.entries for name in self._bodies.names(entry)]

    def _read(self, names: list[str]) -> list[FoundRow]:
        if not names:
            return []
        replies = checked(self._engine.run(names[0], [("GET", name) for name in names]))
        return [found for data in replies if isinstance(data, bytes) and (found := self._found(data))]

    def _found(self, data: bytes) -> FoundRow | None:
        try:
            key = entries_in(data)[0].key
            if self._purges.has_forgotten(number_of_row(data)):
                return None
            row = read_row(data, key, 0, self._purges)
        except (CodecError, IndexError):
            return None
        entries = tuple(entry for entry, _ in row.variants)
        size = len(data) + sum(entry.length for entry in entries)
        return FoundRow(key, entries, size, row.token) if entries else None


def covered_in(page: Sequence[FoundRow], scopes: Sequence[Scope]) -> tuple[Extent, list[FoundRow]]:
    """Return number and size of the entries in rows that scopes cover, and the rows of which they cover everything."""
    sizes: list[int] = []
    whole: list[FoundRow] = []
    for row in page:
        covered = [entry.length for entry in row.entries if any(scope.covers(entry) for scope in scopes)]
        sizes += covered
        whole += [row] if len(covered) == len(row.entries) else []
    return Extent(len(sizes), sum(sizes)), whole


def sum_of(extents: Sequence[Extent]) -> Extent:
    """Return the sum of extents."""
    return Extent(sum(each.copies for each in extents), sum(each.size or 0 for each in extents))
