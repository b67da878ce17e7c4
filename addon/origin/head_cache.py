"""Cache of parsed response heads, by their bytes: origins often send the same head many times a second.

Only heads that were accepted without `origin.lenient` are stored: their meaning depends on their bytes alone.
"""

from __future__ import annotations

from collections import OrderedDict

from addon.origin.response_head import ResponseHead

MAX_HEADS = 512
"""Number of heads in the cache; the least recently used one is removed first."""


class HeadCache:
    """Parsed heads, least recently used first."""

    def __init__(self) -> None:
        self._heads: OrderedDict[bytes, ResponseHead] = OrderedDict()

    def get(self, head: bytes) -> ResponseHead | None:
        """Return the parsed form of a head, or None if it is not in the cache."""
        cached = self._heads.get(head)
        if cached is not None:
            self._heads.move_to_end(head)
        return cached

    def put(self, head: bytes, parsed: ResponseHead) -> None:
        """Store the parsed form of a head."""
        self._heads[head] = parsed
        if len(self._heads) > MAX_HEADS:
            self._heads.popitem(last=False)
