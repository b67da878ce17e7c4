"""Inputs in other forms: in pieces, as a network may deliver them, and repeated, to find work that grows too fast."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

REPEATED_SIZE = 65_536
"""Bytes of a repeated input. Work that grows with the square of it takes longer than the engine lets an input take."""

MAX_REPEATED = 24
"""Bytes of the longest input that is repeated."""


def splits(data: bytes) -> Iterator[list[bytes]]:
    """Iterate over ways to split bytes: into single bytes, pieces of seven bytes, and two halves."""
    for size in (1, 7, len(data) // 2 + 1):
        yield [data[start : start + size] for start in range(0, len(data), size)]


def repeated(data: bytes) -> bytes | None:
    """Return a short input, repeated many times; None for most inputs, because that takes long."""
    if not 0 < len(data) <= MAX_REPEATED or crc32(data) % 1024:
        return None
    return data * (REPEATED_SIZE // len(data))
