"""Rows: all stored responses under one primary key, as one value in the engine.

A row is a version, a token that no other writing of a row has, the number of the last purge that its writer knew, and
the encoded entries. The script that changes rows compares the token.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from cache.rules.stored_response import StoredResponse
from cache.stores.codec import CodecError, decode, decode_row, encode_row
from cache.stores.encoded_entries import Encoded, decoded
from cache.stores.purges import KnownPurges

_HEAD = Struct(">B8sQ")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """The entries under a key, as the purges leave them."""

    token: bytes
    """The token of the row in the engine; empty if there is none."""
    number: int
    """The number of the last purge when the entries were read."""
    variants: tuple[Encoded, ...]
    """Most recently stored first."""
    purged: tuple[StoredResponse, ...] = ()
    """Entries that are in the row as it is in the engine, and that purges cover."""


def encoded_row(number: int, variants: Sequence[Encoded]) -> bytes:
    """Return a row with a new token."""
    return _HEAD.pack(_VERSION, secrets.token_bytes(8), number) + encode_row(data for _, data in variants)


def number_of_row(data: bytes) -> int:
    """Return the number of a row. Raises CodecError if it is none."""
    if len(data) < _HEAD.size or data[0] != _VERSION:
        raise CodecError("no row of this version")
    number: int = _HEAD.unpack_from(data)[2]
    return number


def token_of(data: bytes) -> bytes:
    """Return the token of a row, even of a damaged one."""
    return data[1:9]


def entries_in(data: bytes) -> list[StoredResponse]:
    """Return all entries in a row, purged or not. Raises CodecError if it is damaged."""
    number_of_row(data)  # it shows that there is a head
    return [decode(each) for each in decode_row(data[_HEAD.size :])]


def read_row(data: bytes, key: str, number: int, purges: KnownPurges) -> Row:
    """Return a row as the purges leave it, of which the last is known to be that of `number`.

    Raises:
        CodecError: it is damaged, or belongs to another key.
    """
    entries = data[_HEAD.size :]
    variants = decoded(entries, number_of_row(data), key, purges)
    purged: tuple[StoredResponse, ...] = ()
    if len(variants) < len(decode_row(entries)):
        left = {each.id for each, _ in variants}
        purged = tuple(each for each in entries_in(data) if each.id not in left)
    return Row(token_of(data), number, tuple(variants), purged)
