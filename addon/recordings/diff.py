"""Comparison of two recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

_Identity = tuple[str, str, tuple[tuple[str, str | None], ...], int]
"""Cache key, method, Vary values and position of the first byte: they identify a response in a recording."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two recordings."""

    method: str
    url: str
    what: str
    """`only` if one recording does not have the response, else `status`, `content` or a field name in lower case."""
    first: str | None
    """The value in the first recording; None if it has none."""
    second: str | None
    """The value in the second recording; None if it has none."""


# these fields differ between any two responses, so a difference means nothing
_IGNORED_FIELDS = frozenset({"age", "date"})


def differences(first: ResponseStore, second: ResponseStore) -> Iterator[Difference]:
    """Iterate over the differences, ordered by URL. Raises StoreError."""
    first_entries, second_entries = _by_identity(first), _by_identity(second)
    for identity in sorted(first_entries.keys() | second_entries.keys(), key=repr):
        in_first, in_second = first_entries.get(identity), second_entries.get(identity)
        if in_first and in_second:
            yield from _between(in_first, in_second)
        elif entry := in_first or in_second:
            values = "there" if in_first else None, "there" if in_second else None
            yield Difference(entry.method, entry.key, "only", *values)


def _by_identity(store: ResponseStore) -> dict[_Identity, StoredResponse]:
    return {(entry.key, entry.method, entry.vary, entry.first): entry for entry in store.entries()}


def _between(first: StoredResponse, second: StoredResponse) -> Iterator[Difference]:
    url, method = first.key, first.method
    if first.head.status != second.head.status:
        yield Difference(method, url, "status", str(first.head.status), str(second.head.status))
    names = {name.lower() for name, _ in (*first.head.fields, *second.head.fields)} - _IGNORED_FIELDS
    for name in sorted(names):
        first_value, second_value = first.head.fields.get(name), second.head.fields.get(name)
        if first_value != second_value:
            yield Difference(method, url, name, first_value, second_value)
    if first.sha256 != second.sha256:
        yield Difference(method, url, "content", f"sha256 {first.sha256}", f"sha256 {second.sha256}")
