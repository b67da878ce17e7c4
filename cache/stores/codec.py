"""Encode and decode stored responses: a version byte, a checksum, a record in msgpack. Never pickle.

Encoded bytes may come from a damaged disk or an attacker: `decode` returns an entry that is safe to send, or raises
`CodecError`. `encode` refuses what `decode` would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec
from msgspec import Struct

from cache.http.fields import TOKEN
from cache.http.messages import Fields, Response
from cache.policy.clock_setting import ClockSetting
from cache.rules.stored_response import StoredResponse
from cache.rules.tags import tags_in

VERSION = 2
"""Version of the record below. An entry of any other version is a miss."""

_PREFIX = bytes([VERSION])
_CHECKSUM_SIZE = 16


class CodecError(ValueError):
    """The bytes are not a valid entry of this version, or the entry must not be stored."""


_NAME = TOKEN.pattern
_LOWER_NAME = r"[!#$%&'*+.^_`|~0-9a-z-]+"
_URI = r"[^\x00-\x20\x7f]+"
_TEXT = r"[^\x00\r\n\u0100-\U0010ffff]*"
# One match over joined lines: one match per value would take most of the time of an encoding
_STRINGS = re.compile(rf"[0-9a-f]{{16,64}}\n[0-9a-f]{{64}}\nHTTP/[0-9](?:\.[0-9])?\n{_NAME}\n{_URI}\n{_URI}\n{_TEXT}")
_NAMES = re.compile(rf"(?:{_NAME}\n)*+")
_LOWER_NAMES = re.compile(rf"(?:{_LOWER_NAME}\n)*+")
_FORBIDDEN = re.compile(r"[\x00\r\u0100-\U0010ffff]")

_MAX_COUNT = 2**62
MAX_SECONDS = 1e12
"""Times are between this and its negative, in seconds since the epoch."""


type _Lines = tuple[tuple[str, str], ...]


class Record[F: (_Lines, msgspec.Raw)](Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The attributes of a stored response in the order in which they are written."""

    id: str
    key: str
    method: str
    target: str
    status: int
    reason: str
    fields: F
    """The field lines: decoded, or encoded on their own."""
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
    clock: tuple[int, float] = (0, 0.0)
    """`boot` and `lead` of the clock's setting. It has a default, because it was added to version 2 later."""
    tags: str | None = None
    """This and what follows was added to version 2 later, too."""
    soft_purged: bool = False


_ENCODER = msgspec.msgpack.Encoder()
_RECORD = msgspec.msgpack.Decoder(Record[_Lines])
_ROW = msgspec.msgpack.Decoder(list[bytes])


def encode(entry: StoredResponse) -> bytes:
    """Return an entry as bytes.

    Raises:
        CodecError: the entry must not be stored.
    """
    head = entry.head
    try:
        record = Record(
            id=entry.id,
            key=entry.key,
            method=entry.method,
            target=entry.target,
            status=head.status,
            reason=head.reason,
            fields=_encoded_lines(head.fields),
            version=head.version,
            request_time=entry.request_time,
            response_time=entry.response_time,
            stored_at=entry.stored_at,
            vary=entry.vary,
            length=entry.length,
            sha256=entry.sha256,
            first=entry.first,
            complete_length=entry.complete_length,
            personal=entry.personal,
            invalid=entry.invalid,
            revision=entry.revision,
            scrubbed=entry.scrubbed,
            clock=(entry.clock.boot, entry.clock.lead),
            tags=entry.tags,
            soft_purged=entry.soft_purged,
        )
        _check(record)
        data = _ENCODER.encode(record)
    except (ValueError, TypeError, OverflowError) as error:
        raise CodecError(f"the entry cannot be encoded: {error}") from error
    return _PREFIX + _checksum(data) + data


def _encoded_lines(fields: Fields) -> msgspec.Raw:
    """Return field lines encoded. Raises ValueError if they are malformed."""
    _check_lines(fields.lines)
    return msgspec.Raw(_ENCODER.encode(fields.lines))


def read_record(data: bytes) -> Record[_Lines]:
    """Return the record of an entry that was encoded. Only the types of its attributes are checked, not the values.

    Raises:
        CodecError: the bytes are damaged or of another version.
    """
    if data[:1] != _PREFIX:
        raise CodecError(f"expected an entry of version {VERSION}")
    checksum, record = data[1 : 1 + _CHECKSUM_SIZE], data[1 + _CHECKSUM_SIZE :]
    if checksum != _checksum(record):
        raise CodecError("the entry is damaged: its checksum differs")
    try:
        return _RECORD.decode(record)
    except ValueError as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise CodecError(f"the entry is malformed: {error}") from error


def decode(data: bytes) -> StoredResponse:
    """Return the entry that was encoded.

    Raises:
        CodecError: the bytes are damaged, of another version, or would make a malformed response.
    """
    decoded = read_record(data)
    try:
        _check(decoded)
        _check_lines(decoded.fields)
    except ValueError as error:
        raise CodecError(f"the entry is malformed: {error}") from error
    return StoredResponse(
        id=decoded.id,
        key=decoded.key,
        method=decoded.method,
        target=decoded.target,
        head=Response(decoded.status, decoded.reason, Fields(decoded.fields), decoded.version),
        request_time=decoded.request_time,
        response_time=decoded.response_time,
        stored_at=decoded.stored_at,
        vary=decoded.vary,
        length=decoded.length,
        sha256=decoded.sha256,
        first=decoded.first,
        complete_length=decoded.complete_length,
        personal=decoded.personal,
        invalid=decoded.invalid,
        revision=decoded.revision,
        scrubbed=decoded.scrubbed,
        clock=clock_setting(*decoded.clock),
        tags=tags_in(Fields(decoded.fields)) if decoded.tags is None else decoded.tags,
        soft_purged=decoded.soft_purged,
    )


clock_setting = lru_cache(maxsize=64)(ClockSetting)
"""Cached: all that is stored between two settings of the clock has the same one."""


def encode_row(entries: Iterable[bytes]) -> bytes:
    """Return all encoded entries under one primary key as bytes."""
    return _ENCODER.encode(list(entries))


def decode_row(data: bytes) -> list[bytes]:
    """Return the encoded entries that `encode_row` got, in order. Raises CodecError if the bytes are damaged."""
    try:
        return _ROW.decode(data)
    except ValueError as error:
        raise CodecError(f"the variants are malformed: {error}") from error


def _check[F: (_Lines, msgspec.Raw)](record: Record[F]) -> None:
    """Raise ValueError unless the record, apart from its field lines, makes a well-formed response."""
    strings = (record.id, record.sha256, record.version, record.method, record.key, record.target, record.reason)
    if not _STRINGS.fullmatch("\n".join(strings)):
        raise ValueError("an identifier or the reason phrase is malformed")
    if record.vary:
        if not _are_names(tuple([name for name, _ in record.vary]), _LOWER_NAMES):
            raise ValueError("a field name of Vary is not a token in lower case")
        _check_texts([value for _, value in record.vary if value is not None])
    counts = (record.length, record.first, record.complete_length or 0, record.revision)
    if not (200 <= record.status <= 599 and min(counts) >= 0 and max(counts) <= _MAX_COUNT):
        raise ValueError("a number is out of range")
    for seconds in (record.request_time, record.response_time, record.stored_at, record.clock[1]):
        if not -MAX_SECONDS <= seconds <= MAX_SECONDS:  # also refuses infinity and NaN
            raise ValueError("a time is out of range")


def _check_lines(lines: _Lines) -> None:
    if not _are_names(tuple([name for name, _ in lines]), _NAMES):
        raise ValueError("a field name is not a token")
    _check_texts([value for _, value in lines])


@lru_cache(maxsize=512)
def _are_names(names: tuple[str, ...], pattern: re.Pattern[str]) -> bool:
    """Return whether all names match a pattern for lines. Cached: the heads of an origin mostly have the same names."""
    joined = "".join([f"{name}\n" for name in names])
    return joined.count("\n") == len(names) and bool(pattern.fullmatch(joined))


def _check_texts(texts: list[str]) -> None:
    # CR or LF would split the response that is sent (RFC 9110 §5.5 forbids them, and NUL)
    joined = "\n".join(texts)
    if joined.count("\n") != max(0, len(texts) - 1) or _FORBIDDEN.search(joined):
        raise ValueError("a text has characters that must not be sent")


def _checksum(record: bytes) -> bytes:
    return blake2b(record, digest_size=_CHECKSUM_SIZE).digest()
