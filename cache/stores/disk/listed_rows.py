"""Lists of what is on disk, in any order, by the indexes of the table: no response is read that is not listed.

The index of bodies has last use, time of storing and length, and that of head rows the time at which the oldest
response under a key was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cache.http.host_filter import host_filter
from cache.rules.stored_response import StoredResponse
from cache.stores.disk.rows import BODY_LENGTH, Rows, Value
from cache.stores.disk.tag_index import hash_of
from cache.stores.listing import Found, Order, Selection, number_and_tie, place_of

_PAGE = 2000
"""Places that are looked up by one statement. It goes through all of them, so there should be few."""

_BODIES = """
    SELECT {number} AS number, rowid FROM Cache INDEXED BY Body_access_time
    WHERE tag IS NOT NULL AND ({number}, rowid) > (?, ?) {conditions} ORDER BY number, rowid LIMIT {page}
"""
_HEADS_BY_AGE = """
    SELECT access_time, rowid FROM Cache INDEXED BY Head_made
    WHERE tag IS NULL AND (access_time, rowid) > (?, ?) {conditions} ORDER BY access_time, rowid LIMIT {page}
"""
_HEADS_BY_KEY = """
    SELECT CAST(key AS BLOB) FROM Cache
    WHERE key > CAST(? AS TEXT) AND key < 'u;' AND raw = 1 {conditions} ORDER BY key LIMIT {page}
"""

_NUMBERS = {Order.SIZE: f"-{BODY_LENGTH}", Order.USED: "access_time"}

# `+` keeps SQLite from beginning with the set, and from reading a row for each of its members
_BODY_URL = "+rowid IN (SELECT rowid FROM Cache INDEXED BY Cache_tag_rowid WHERE tag IS NOT NULL AND {matches})"
_HEAD_URL = "+rowid IN (SELECT rowid FROM Cache WHERE key > 'u:' AND key < 'u;' AND raw = 1 AND {matches})"
_BODY_TAG = "+rowid IN (SELECT body FROM Tag WHERE hash = ?)"
_HEAD_TAG = """
    +rowid IN (SELECT head.rowid FROM Tag JOIN Cache AS body ON body.rowid = Tag.body
    JOIN Cache AS head ON head.key = 'u:' || body.tag AND head.raw = 1 WHERE Tag.hash = ?)
"""
_BODY_UNUSED = "access_time = store_time"
_HEAD_UNUSED = """
    EXISTS (SELECT 1 FROM Cache AS body
    WHERE body.tag = substr(Cache.key, 3) AND body.access_time = body.store_time)
"""


@dataclass(frozen=True, slots=True)
class _Conditions:
    """The conditions that SQL can check. Others may pass as well, but none that is wanted is left out."""

    terms: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def sql(self) -> str:
        return "".join(f" AND {term}" for term in self.terms)


class ListedRows:
    """The rows of a store as lists."""

    def __init__(self, rows: Rows, candidates: Callable[[str], tuple[StoredResponse, ...]]) -> None:
        """Read responses by `candidates`, which returns all under a primary key."""
        self._rows = rows
        self._candidates = candidates

    def found(self, selection: Selection) -> Iterator[Found]:
        """Iterate over the places of a list. Raises StoreError, and ValueError if the list has no such place."""
        match selection.order:
            case Order.URL:
                return self._by_url(selection)
            case Order.AGE:
                return self._by_age(selection, number_and_rowid(selection.after))
            case Order.SIZE | Order.USED:
                return self._bodies(selection, number_and_rowid(selection.after))

    def _by_url(self, selection: Selection) -> Iterator[Found]:
        conditions, last = _conditions(selection, of_heads=True), b"u:" + selection.after.encode()
        statement = _HEADS_BY_KEY.format(conditions=conditions.sql, page=_PAGE)
        while page := self._execute(statement, last, *conditions.values):
            for (name,) in page:
                last = name if isinstance(name, bytes) else b"u;"
                key = last.removeprefix(b"u:").decode(errors="replace")
                yield Found(key, self._candidates(key))

    def _by_age(self, selection: Selection, after: tuple[float, int]) -> Iterator[Found]:
        conditions = _conditions(selection, of_heads=True)
        statement = _HEADS_BY_AGE.format(conditions=conditions.sql, page=_PAGE)
        for place, rowid in self._places(statement, after, conditions.values):
            for (name,) in self._execute("SELECT key FROM Cache WHERE rowid = ?", rowid):
                yield Found(place, self._candidates(str(name).removeprefix("u:")))

    def _bodies(self, selection: Selection, after: tuple[float, int]) -> Iterator[Found]:
        conditions, number = _conditions(selection, of_heads=False), _NUMBERS[selection.order]
        statement = _BODIES.format(number=number, conditions=conditions.sql, page=_PAGE)
        for place, rowid in self._places(statement, after, conditions.values):
            for name, key in self._execute("SELECT key, tag FROM Cache WHERE rowid = ?", rowid):
                entries = self._candidates(str(key))
                yield Found(place, tuple(entry for entry in entries if f"b:{entry.id}" == name))

    def _places(self, statement: str, after: tuple[float, int], values: tuple[Value, ...]) -> Iterator[tuple[str, int]]:
        """Iterate over place and row id of the rows behind a number and a row id."""
        while page := self._execute(statement, *after, *values):
            for number, rowid in page:
                if not isinstance(number, float | int) or not isinstance(rowid, int):
                    return  # a damaged row: it comes behind all numbers
                after = number, rowid
                yield place_of(number, rowid), rowid

    def _execute(self, statement: str, *values: Value) -> list[tuple[Value, ...]]:
        with self._rows.failures():
            return self._rows.execute(statement, *values)


def number_and_rowid(place: str) -> tuple[float, int]:
    """Return the number that is compared, and the row id. Raises ValueError if the text is no place of such a list."""
    number, tie = number_and_tie(place)
    if tie and not re.fullmatch("[0-9]{1,18}", tie):
        raise ValueError(f"expected the `next` of a list in the same order, found {place!r}")
    return number, int(tie or 0)


def _conditions(selection: Selection, *, of_heads: bool) -> _Conditions:
    terms: list[str] = []
    values: list[Value] = []
    url = "substr(key, 3)" if of_heads else "tag"
    matches = [*_pattern_matches(url, selection.pattern), *_host_matches(url, selection.host)]
    if matches:
        by_url = _HEAD_URL if of_heads else _BODY_URL
        terms.append(by_url.format(matches=" AND ".join(term for term, _ in matches)))
        values += [value for _, each in matches for value in each]
    if selection.tag is not None and selection.tag.isprintable():  # a command line may have what is no text
        terms.append(_HEAD_TAG if of_heads else _BODY_TAG)
        values.append(hash_of(selection.tag))
    if selection.never_used:
        terms.append(_HEAD_UNUSED if of_heads else _BODY_UNUSED)
    return _Conditions(tuple(terms), tuple(values))


def _pattern_matches(url: str, pattern: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    # SQLite knows no case of letters beyond ASCII
    if pattern and pattern.isascii():
        yield (
            f"(instr(lower({url}), ?) OR lower({url}) GLOB ?)",
            (pattern.lower(), _glob(pattern.lower())),
        )


def _host_matches(url: str, host: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    if host and host.isascii():
        # the port is not compared here: a key has none if it is the usual one
        yield f"{url} GLOB ?", (f"*//*{_glob(host_filter(host).host)}*",)


def _glob(pattern: str) -> str:
    """Return a pattern of SQLite that matches at least what a shell pattern matches."""
    beginning, bracket, _ = pattern.partition("[")  # the two differ in what comes in brackets
    return beginning + ("*" if bracket else "")
