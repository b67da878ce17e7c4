"""Comparison of two recordings: the responses that only one has, and those that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import attrgetter, itemgetter

from addon.recordings.content_diff import ContentDiff, content_diff
from cache.http.fields import http_date
from cache.http.messages import Response
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

VOLATILE = frozenset({"age", "date", "server-timing"})
"""Fields in lower case that differ between any two responses, so a difference means nothing."""

type Group = tuple[str, Sequence[StoredResponse], Sequence[StoredResponse]]
"""A cache key, and the responses that each of two recordings has for it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two responses to the same request."""

    part: str
    """`status`, `content`, or a field name in lower case."""
    first: str | None
    """The value in the first recording; None if it has none."""
    second: str | None
    """The value in the second recording; None if it has none."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A response that only one of two recordings has, or that differs."""

    method: str
    url: str
    in_first: bool
    in_second: bool
    differences: tuple[Difference, ...] = ()
    """Empty if only one recording has the response."""
    content: ContentDiff | None = None
    """The difference between the contents; None if they are equal, or if there is only one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares the responses in two stores."""

    first: ResponseStore
    second: ResponseStore
    ignored: frozenset[str] = frozenset()
    """Names of further fields, in lower case, that may differ."""
    with_lines: bool = False
    """Texts are compared by line, which takes much longer."""

    def all(self, after: str = "") -> Iterator[Changed]:
        """Iterate over all responses that are not the same in both, ordered by URL. Raises StoreError."""
        for group in grouped(self.first, self.second, after):
            yield from self.of(group)

    def of(self, group: Group) -> Iterator[Changed]:
        """Iterate over the responses under one cache key that are not the same in both. Raises StoreError."""
        _, first, second = group
        for one, other in _pairs(first, second):
            if one and other:
                if changed := self._between(one, other):
                    yield changed
            elif entry := one or other:
                yield Changed(entry.method, entry.key, in_first=one is not None, in_second=other is not None)

    def _between(self, first: StoredResponse, second: StoredResponse) -> Changed | None:
        content = self._of_contents(first, second)
        differences = [
            *_differing("status", str(first.head.status), str(second.head.status)),
            *self._of_fields(first, second),
            *_differing("complete length", _complete_length(first), _complete_length(second)),
            *([Difference("content", content.first, content.second)] if content else []),
        ]
        if not differences:
            return None
        return Changed(
            first.method, first.key, in_first=True, in_second=True, differences=tuple(differences), content=content
        )

    def _of_contents(self, first: StoredResponse, second: StoredResponse) -> ContentDiff | None:
        if (first.sha256, first.length) == (second.sha256, second.length):
            return None
        return content_diff((first, self.first), (second, self.second), with_lines=self.with_lines)

    def _of_fields(self, first: StoredResponse, second: StoredResponse) -> Iterator[Difference]:
        # for other methods, a difference in length is one in content
        length = frozenset() if first.method == "HEAD" else frozenset({"content-length"})
        names = {name.lower() for name, _ in (*first.head.fields, *second.head.fields)}
        for name in sorted(names - VOLATILE - length - self.ignored):
            yield from _differing(name, _value(first.head, name), _value(second.head, name))


def grouped(first: ResponseStore, second: ResponseStore, after: str = "") -> Iterator[Group]:
    """Iterate over all cache keys of two stores, or those behind one, in order. Raises StoreError."""
    sides = merge(
        ((key, 0, entries) for key, entries in by_key(first, after)),
        ((key, 1, entries) for key, entries in by_key(second, after)),
        key=itemgetter(0, 1),
    )
    for key, group in groupby(sides, key=itemgetter(0)):
        found = {side: entries for _, side, entries in group}
        yield key, found.get(0, []), found.get(1, [])


def by_key(store: ResponseStore, after: str = "") -> Iterator[tuple[str, list[StoredResponse]]]:
    """Iterate over the cache keys of a store, or those behind one, with their responses. Raises StoreError."""
    for key, entries in groupby(store.entries(after), key=attrgetter("key")):
        yield key, list(entries)


def _pairs(
    first: Iterable[StoredResponse], second: Iterable[StoredResponse]
) -> Iterator[tuple[StoredResponse | None, StoredResponse | None]]:
    """Pair the responses to the same request. Where Vary has changed, single ones with the same method are paired."""
    rest = {(each.method, each.first, each.vary): each for each in second}
    alone: list[StoredResponse] = []
    for each in first:
        if other := rest.pop((each.method, each.first, each.vary), None):
            yield each, other
        else:
            alone.append(each)
    for each in alone:
        kind = (each.method, each.first)
        others = [identity for identity in rest if identity[:2] == kind]
        is_only_one = len(others) == 1 and sum((one.method, one.first) == kind for one in alone) == 1
        yield each, rest.pop(others[0]) if is_only_one else None
    for other in rest.values():
        yield None, other


def _complete_length(entry: StoredResponse) -> str | None:
    return None if entry.complete_length is None else f"{entry.complete_length} bytes"


def _value(head: Response, name: str) -> str | None:
    value = head.fields.get(name)
    if name != "expires":
        return value
    # RFC 9111 §4.2.1: Expires means a time after Date, and it moves with every response
    date = http_date(head.fields.get("date"), 0)
    expires = http_date(value, date or 0)
    return value if date is None or expires is None else f"{expires - date:.0f} seconds after Date"


def _differing(part: str, first: str | None, second: str | None) -> Iterator[Difference]:
    if first != second:
        yield Difference(part, first, second)
