"""Cache of parsed response heads, by their bytes: origins often send the same head many times a second.

Only heads that llhttp has accepted and whose content has a length are stored. The data behind such a head is framed by
that length alone, so the parser is not needed for it (RFC 9112 §6.3).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from cache.http.messages import Response

MAX_HEADS = 512
"""Number of heads in the cache; the least recently used one is removed first."""


@dataclass(frozen=True, slots=True)
class CachedHead:
    """The parsed form of a head."""

    response: Response
    length: int
    """Content-Length, in bytes."""
    persistent: bool
    """The head allows another request on the same connection."""


class HeadCache:
    """Parsed heads, least recently used first."""

    def __init__(self) -> None:
        self._heads: OrderedDict[bytes, CachedHead] = OrderedDict()

    def get(self, head: bytes) -> CachedHead | None:
        """Return the parsed form of a head, or None if it is not in the cache."""
        cached = self._heads.get(head)
        if cached is not None:
            self._heads.move_to_end(head)
        return cached

    def put(self, head: bytes, parsed: CachedHead) -> None:
        """Store the parsed form of a head."""
        self._heads[head] = parsed
        if len(self._heads) > MAX_HEADS:
            self._heads.popitem(last=False)
