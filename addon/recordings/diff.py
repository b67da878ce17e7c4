"""What differs between two recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

_Place = tuple[str, str, tuple[tuple[str, str | None], ...], int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs."""

    method: str
    url: str
    what: str
    """`only` where one of them has it, else `status`, `content`, or the lower-case name of a field."""
    first: str | None
    second: str | None


# differs between any two answers, and says nothing about them
_PASSING = frozenset({"age", "date"})


def differences(first: ResponseStore, second: ResponseStore) -> Iterator[Difference]:
    """Iterate over what differs, by URL. Raises StoreError."""
    ours, theirs = _by_place(first), _by_place(second)
    for place in sorted(ours.keys() | theirs.keys(), key=repr):
        mine, other = ours.get(place), theirs.get(place)
        if mine and other:
            yield from _between(mine, other)
        elif present := mine or other:
            told = "there" if mine else None, "there" if other else None
            yield Difference(present.method, present.key, "only", *told)


def _by_place(store: ResponseStore) -> dict[_Place, StoredResponse]:
    return {(entry.key, entry.method, entry.vary, entry.first): entry for entry in store.entries()}


def _between(first: StoredResponse, second: StoredResponse) -> Iterator[Difference]:
    url, method = first.key, first.method
    if first.head.status != second.head.status:
        yield Difference(method, url, "status", str(first.head.status), str(second.head.status))
    names = {name.lower() for name, _ in (*first.head.fields, *second.head.fields)} - _PASSING
    for name in sorted(names):
        before, after = first.head.fields.get(name), second.head.fields.get(name)
        if before != after:
            yield Difference(method, url, name, before, after)
    if first.sha256 != second.sha256:
        yield Difference(method, url, "content", f"sha256 {first.sha256}", f"sha256 {second.sha256}")
