"""Encode and decode all entries under one primary key, as the purges leave them."""

from __future__ import annotations

from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.codec import CodecError, decode, decode_row, encode
from cache.stores.purges import KnownPurges

type Encoded = tuple[StoredResponse, bytes]
"""An entry and its encoded form."""


def decoded(row: bytes, number: int, key: str, purges: KnownPurges) -> list[Encoded]:
    """Return the entries in a head row, without those that a purge after the one of that number covers.

    Raises:
        CodecError: the row is damaged or belongs to another key.
    """
    if purges.covers(key, number):
        return []
    variants = [(decode(each), each) for each in decode_row(row)]
    if any(each.key != key for each, _ in variants):
        raise CodecError("an entry under another key")
    if not purges.may_concern_row(key, number):
        return variants
    judged = [(purges.judged_row(entry, number), entry, data) for entry, data in variants]
    return [
        (entry, data) if left is entry else (left, encode(left)) for left, entry, data in judged if left is not None
    ]


def admitted(entry: StoredResponse, data: bytes, purges: KnownPurges) -> Encoded:
    """Return a new entry and its encoded form, as the purges leave it that came after it was asked for.

    Raises:
        Overtaken: it is purged.
    """
    left = purges.admitted(entry)
    return (entry, data) if left is entry else encoded(left)


def encoded(entry: StoredResponse) -> Encoded:
    """Return an entry with its encoded form. Raises StoreError if the entry must not be stored."""
    try:
        return entry, encode(entry)
    except CodecError as error:
        raise StoreError(f"the entry cannot be stored: {error}") from error
