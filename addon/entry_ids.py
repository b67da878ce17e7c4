"""Names for stored responses: never given twice, and in order, so that the store's index grows at its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from secrets import token_hex


def entry_ids() -> Iterator[str]:
    """Iterate over names that no other process gives: 128 bits in hexadecimal, half of them random, half a count."""
    begin = token_hex(8)
    return (f"{begin}{number:016x}" for number in count())
