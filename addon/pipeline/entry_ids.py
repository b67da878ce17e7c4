"""Ids for stored responses: unique, and ascending within a process, so that the store's index grows at its end.

They cannot be guessed: an id is also the boundary of a multipart response, which must not occur in the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from secrets import token_hex


def entry_ids() -> Iterator[str]:
    """Iterate over ids of 128 bits in hexadecimal: a random prefix drawn once, a counter, and 64 random bits."""
    prefix = token_hex(4)
    return (f"{prefix}{number:08x}{token_hex(8)}" for number in count())
