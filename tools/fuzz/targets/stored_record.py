"""Stored records: damaged bytes are refused, and what is accepted is a record that this program could have written."""

from __future__ import annotations

from hashlib import blake2b, sha256

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from cache.stores.bodies import BytesBody
from cache.stores.codec import VERSION, CodecError, decode, decode_row, encode, encode_row
from cache.stores.disk.verification import Verification

TOKENS = [b"http://a.example/", b"HTTP/1.1", b"GET", b"\xc0", b"\xc2", b"\xc3", b"\x90", b"\xdc\x00\x15", b"\xcb"]

BODY = b"hello"
ENTRY = StoredResponse(
    id="0" * 32,
    key="http://a.example/",
    method="GET",
    target="http://a.example/",
    head=Response(200, "OK", Fields((("ETag", '"a"'), ("Vary", "Accept")))),
    request_time=1.0,
    response_time=2.0,
    stored_at=2.0,
    vary=(("accept", "text/html"),),
    length=len(BODY),
    sha256=sha256(BODY).hexdigest(),
)
ENCODED = encode(ENTRY)


def check(data: bytes) -> None:
    """Decode bytes as an entry, as the record in one, as a row, and as damage to a good entry and to a body."""
    for encoded in (data, bytes([VERSION]) + blake2b(data, digest_size=16).digest() + data):
        if (entry := _decoded(encoded)) is not None:
            assert decode(encode(entry)) == entry
    _check_row(data)
    _check_damage(data)
    assert Verification().is_intact(ENTRY, BytesBody(data)) == (data == BODY)


def _decoded(encoded: bytes) -> StoredResponse | None:
    try:
        return decode(encoded)
    except CodecError as error:
        assert str(error)
        return None


def _check_row(data: bytes) -> None:
    try:
        row = decode_row(data)
    except CodecError:
        return
    assert decode_row(encode_row(row)) == row
    for each in row:
        _decoded(each)


def _check_damage(data: bytes) -> None:
    """Overwrite a good entry, from the position on that the first two bytes are."""
    position, change = int.from_bytes(data[:2]) % len(ENCODED), data[2:]
    damaged = ENCODED[:position] + change + ENCODED[position + len(change) :]
    assert damaged == ENCODED or _decoded(damaged) is None
