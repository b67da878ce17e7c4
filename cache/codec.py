"""Stored responses as octets and back: a version, a checksum, msgpack. Never pickle.

Octets may come from a damaged disk or a stranger: decoding returns an entry that is fit to be sent, or raises
`CodecError`. What could not be decoded again is not encoded in the first place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cache.entry import StoredResponse
from cache.messages import Fields, Response

VERSION = 2
"""Changes whenever the record below does; octets of any other version are a miss."""

_PREFIX = bytes([VERSION])
_CHECKSUM_SIZE = 16


class CodecError(ValueError):
    """Octets that are no stored response of this version, or a stored response that must not become octets."""


# A stored CR or LF would split the response it is sent in: RFC 9110 §5.5 forbids them and NUL
Text = Annotated[str, Meta(pattern=r"\A[^\x00\r\n\u0100-\U0010ffff]*\Z")]
Token = Annotated[str, Meta(pattern=r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")]  # RFC 9110 §5.6.2
LowerToken = Annotated[str, Meta(pattern=r"\A[!#$%&'*+.^_`|~0-9a-z-]+\Z")]
Uri = Annotated[str, Meta(pattern=r"\A[^\x00-\x20\x7f]+\Z")]
Identifier = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16,64}\Z")]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Version = Annotated[str, Meta(pattern=r"\AHTTP/[0-9](\.[0-9])?\Z")]
Status = Annotated[int, Meta(ge=200, le=599)]
Seconds = Annotated[float, Meta(ge=-1e12, le=1e12)]  # finite: neither infinity nor NaN is in any range
Count = Annotated[int, Meta(ge=0, le=2**62)]


class _Record(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What is written of a stored response, in this order."""

    id: Identifier
    key: Uri
    method: Token
    target: Uri
    status: Status
    reason: Text
    fields: tuple[tuple[Token, Text], ...]
    version: Version
    request_time: Seconds
    response_time: Seconds
    stored_at: Seconds
    vary: tuple[tuple[LowerToken, Text | None], ...]
    length: Count
    sha256: Sha256
    first: Count
    complete_length: Count | None
    personal: bool
    invalid: bool
    revision: Count
    scrubbed: bool


_PLAIN = tuple(each.name for each in fields(StoredResponse) if each.name not in ("head", "pieces"))
_RECORD = msgspec.msgpack.Decoder(_Record)
_ROW = msgspec.msgpack.Decoder(list[bytes])


def encode(entry: StoredResponse) -> bytes:
    """Return the octets of an entry.

    Raises:
        CodecError: the entry is not fit to be stored.
    """
    head = entry.head
    try:
        record = msgspec.msgpack.encode(
            _Record(
                status=head.status,
                reason=head.reason,
                fields=head.fields.lines,
                version=head.version,
                **{name: getattr(entry, name) for name in _PLAIN},
            )
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise CodecError(f"the entry cannot be encoded: {error}") from error
    octets = _PREFIX + _checksum(record) + record
    decode(octets)  # building a record checks nothing: reading it back does
    return octets


def decode(octets: bytes) -> StoredResponse:
    """Return the entry that `encode` made these octets of.

    Raises:
        CodecError: they are damaged, of another version, or would make a malformed response.
    """
    if octets[:1] != _PREFIX:
        raise CodecError(f"expected an entry of version {VERSION}")
    checksum, record = octets[1 : 1 + _CHECKSUM_SIZE], octets[1 + _CHECKSUM_SIZE :]
    if checksum != _checksum(record):
        raise CodecError("the entry is damaged: its checksum differs")
    try:
        decoded = _RECORD.decode(record)
    except ValueError as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise CodecError(f"the entry is malformed: {error}") from error
    return StoredResponse(
        head=Response(decoded.status, decoded.reason, Fields(decoded.fields), decoded.version),
        **{name: getattr(decoded, name) for name in _PLAIN},
    )


def encode_variants(entries: Iterable[StoredResponse]) -> bytes:
    """Return the octets of all entries under one primary key. Raises CodecError."""
    return msgspec.msgpack.encode([encode(entry) for entry in entries])


def decode_variants(octets: bytes) -> tuple[StoredResponse, ...]:
    """Return the entries that `encode_variants` was given, in order. Raises CodecError if any is damaged."""
    try:
        row = _ROW.decode(octets)
    except ValueError as error:
        raise CodecError(f"the variants are malformed: {error}") from error
    return tuple(decode(each) for each in row)


def _checksum(record: bytes) -> bytes:
    return blake2b(record, digest_size=_CHECKSUM_SIZE).digest()
