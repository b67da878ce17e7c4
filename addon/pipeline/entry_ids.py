"""Ids for stored responses: unique, and ascending within a process, so that the store's index grows at its end.

They cannot be guessed: an id is also the boundary of a multipart response, which must not occur in the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from secrets import token_bytes, token_hex

_RANDOM_SIZE = 8
_BATCH = 512
"""Ids whose random bits are drawn at once: each draw is a system call."""


def entry_ids() -> Iterator[str]:
    """Iterate over ids of 128 bits in hexadecimal: a random prefix drawn once, a counter, and 64 random bits."""
    prefix = token_hex(4)
    return (f"{prefix}{number:08x}{random_bits}" for number, random_bits in zip(count(), _random_bits(), strict=False))


def _random_bits() -> Iterator[str]:
    while True:
        drawn = token_bytes(_RANDOM_SIZE * _BATCH).hex()
        for start in range(0, len(drawn), 2 * _RANDOM_SIZE):
            yield drawn[start : start + 2 * _RANDOM_SIZE]
