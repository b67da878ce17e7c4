"""Names for stored responses: never given twice, and in order, so that the store's index grows at its end.

Nobody can tell the next one: it is also the boundary between the parts of an answer, which no content may hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from secrets import token_hex


def entry_ids() -> Iterator[str]:
    """Iterate over names of 128 bits in hexadecimal: a process's own beginning, a count, and 64 random bits."""
    begin = token_hex(4)
    return (f"{begin}{number:08x}{token_hex(8)}" for number in count())
