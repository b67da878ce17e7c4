"""Stored responses as octets and back: a version, a checksum, msgpack. Never pickle.

Octets may come from a damaged disk or a stranger: decoding returns an entry that is fit to be sent, or raises
`CodecError`. What could not be decoded again is not encoded in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec
from msgspec import Struct

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse

VERSION = 2
"""Changes whenever the record below does; octets of any other version are a miss."""

_PREFIX = bytes([VERSION])
_CHECKSUM_SIZE = 16


class CodecError(ValueError):
    """Octets that are no stored response of this version, or a stored response that must not become octets."""


_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 §5.6.2
_LOWER_NAME = r"[!#$%&'*+.^_`|~0-9a-z-]+"
_URI = r"[^\x00-\x20\x7f]+"
# One look at many lines: a pattern for each field would take most of the time of a store
_IDENTITY = re.compile(rf"[0-9a-f]{{16,64}}\n[0-9a-f]{{64}}\nHTTP/[0-9](?:\.[0-9])?\n{_NAME}\n{_URI}\n{_URI}")
_NAMES = re.compile(rf"(?:{_NAME}\n)*+")
_LOWER_NAMES = re.compile(rf"(?:{_LOWER_NAME}\n)*+")
_UNFIT = re.compile(r"[\x00\r\u0100-\U0010ffff]")

_MAX_COUNT = 2**62
_MAX_SECONDS = 1e12


type _Lines = tuple[tuple[str, str], ...]


class _Record[F: (_Lines, msgspec.Raw)](Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What is written of a stored response, in this order."""

    id: str
    key: str
    method: str
    target: str
    status: int
    reason: str
    fields: F
    """The field lines, or just these encoded."""
    version: str
    request_time: float
    response_time: float
    stored_at: float
    vary: tuple[tuple[str, str | None], ...]
    length: int
    sha256: str
    first: int
    complete_length: int | None
    personal: bool
    invalid: bool
    revision: int
    scrubbed: bool


_ENCODER = msgspec.msgpack.Encoder()
_RECORD = msgspec.msgpack.Decoder(_Record[_Lines])
_ROW = msgspec.msgpack.Decoder(list[bytes])


def encode(entry: StoredResponse) -> bytes:
    """Return the octets of an entry.

    Raises:
        CodecError: the entry is not fit to be stored.
    """
    head = entry.head
    try:
        record = _Record(
            entry.id,
            entry.key,
            entry.method,
            entry.target,
            head.status,
            head.reason,
            _encoded_lines(head.fields),
            head.version,
            entry.request_time,
            entry.response_time,
            entry.stored_at,
            entry.vary,
            entry.length,
            entry.sha256,
            entry.first,
            entry.complete_length,
            entry.personal,
            entry.invalid,
            entry.revision,
            entry.scrubbed,
        )
        _check(record)
        octets = _ENCODER.encode(record)
    except (ValueError, TypeError, OverflowError) as error:
        raise CodecError(f"the entry cannot be encoded: {error}") from error
    return _PREFIX + _checksum(octets) + octets


@lru_cache(maxsize=512)
def _encoded_lines(fields: Fields) -> msgspec.Raw:
    """Return the lines of what an origin says of many responses, encoded. Raises ValueError if they are malformed."""
    _check_lines(fields.lines)
    return msgspec.Raw(_ENCODER.encode(fields.lines))


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
        _check(decoded)
        _check_lines(decoded.fields)
    except ValueError as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise CodecError(f"the entry is malformed: {error}") from error
    return StoredResponse(
        decoded.id,
        decoded.key,
        decoded.method,
        decoded.target,
        Response(decoded.status, decoded.reason, Fields(decoded.fields), decoded.version),
        decoded.request_time,
        decoded.response_time,
        decoded.stored_at,
        decoded.vary,
        decoded.length,
        decoded.sha256,
        decoded.first,
        decoded.complete_length,
        decoded.personal,
        decoded.invalid,
        decoded.revision,
        decoded.scrubbed,
    )


def encode_row(entries: Iterable[bytes]) -> bytes:
    """Return the octets of all encoded entries under one primary key."""
    return _ENCODER.encode(list(entries))


def decode_row(octets: bytes) -> list[bytes]:
    """Return the encoded entries that `encode_row` was given, in order. Raises CodecError if that is damaged."""
    try:
        return _ROW.decode(octets)
    except ValueError as error:
        raise CodecError(f"the variants are malformed: {error}") from error


def _check[F: (_Lines, msgspec.Raw)](record: _Record[F]) -> None:
    """Raise ValueError unless the record, its field lines apart, makes a well-formed response."""
    identity = (record.id, record.sha256, record.version, record.method, record.key, record.target)
    if not _IDENTITY.fullmatch("\n".join(identity)):
        raise ValueError("its identity is malformed")
    nominated = "".join([f"{name}\n" for name, _ in record.vary])
    if nominated.count("\n") != len(record.vary) or not _LOWER_NAMES.fullmatch(nominated):
        raise ValueError("a nominated field name is no token in lower case")
    _check_texts([record.reason, *[value for _, value in record.vary if value is not None]])
    counts = (record.length, record.first, record.complete_length or 0, record.revision)
    if not (200 <= record.status <= 599 and min(counts) >= 0 and max(counts) <= _MAX_COUNT):
        raise ValueError("a number is out of range")
    for seconds in (record.request_time, record.response_time, record.stored_at):
        if not -_MAX_SECONDS <= seconds <= _MAX_SECONDS:  # neither infinity nor NaN is
            raise ValueError("a time is out of range")


def _check_lines(lines: _Lines) -> None:
    names = "".join([f"{name}\n" for name, _ in lines])
    if names.count("\n") != len(lines) or not _NAMES.fullmatch(names):
        raise ValueError("a field name is no token")
    _check_texts([value for _, value in lines])


def _check_texts(texts: list[str]) -> None:
    # A stored CR or LF would split the response it is sent in: RFC 9110 §5.5 forbids them and NUL
    joined = "\n".join(texts)
    if joined.count("\n") != max(0, len(texts) - 1) or _UNFIT.search(joined):
        raise ValueError("a text cannot be sent")


def _checksum(record: bytes) -> bytes:
    return blake2b(record, digest_size=_CHECKSUM_SIZE).digest()
