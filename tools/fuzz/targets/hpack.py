"""HPACK: our decoder takes a block for the fields that the library's decoder takes it for, or refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from hpack import Decoder, HPACKError, OversizedHeaderListError

from addon.origin.http2.hpack_decoder import HpackDecoder
from tools.fuzz.pieces import repeated

TOKENS = [
    *(
        b"\x82",
        b"\x86",
        b"\x84",
        b"\x41\x09a.example",
        b"\x40\x01a\x01b",
        b"\x00\x01a\x01b",
        b"\x10\x01a\x01b",
        b"\xbe",
    ),
    *(b"\x20", b"\x3f\xe1\x1f", b"\x3e", b"\x7f\x80\x01", b"\xff\xff\xff\xff\x0f", b"\x81\x1f", b"\x8c\xf1\xe3\xc2"),
]

MAX_LIST = 4096

STRICTER = ("too often", "too large")
"""Parts of the messages about what the library accepts: long integers, and many changes of the table's size."""


def check(data: bytes) -> None:
    """Decode header blocks of one connection, each with its length in two bytes in front."""
    ours, theirs = HpackDecoder(MAX_LIST), Decoder(MAX_LIST)
    for block in _blocks(data):
        try:
            fields = ours.decode(block)
        except OversizedHeaderListError:
            return
        except HPACKError as error:
            assert any(part in str(error) for part in STRICTER) or _refuses(theirs, block), error
            return
        assert fields == [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)]
        assert sum(len(name) + len(value) + 32 for name, value in fields) <= MAX_LIST
    if (long := repeated(data)) is not None:
        with suppress(HPACKError, OversizedHeaderListError):
            HpackDecoder(10 * len(long)).decode(long)


def _blocks(data: bytes) -> Iterator[bytes]:
    while data:
        end = 2 + int.from_bytes(data[:2])
        yield data[2:end]
        data = data[end:]


def _refuses(decoder: Decoder, block: bytes) -> bool:
    try:
        decoder.decode(block, raw=True)
    except (
        HPACKError,
        OversizedHeaderListError,
        IndexError,
    ):  # a block that ends early is an IndexError in some places
        return True
    return False
