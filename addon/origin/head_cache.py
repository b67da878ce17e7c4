"""Response heads that were parsed before: an origin says the same, octet for octet, of much that it sends in a second.

Only heads that llhttp has accepted and whose content has a length get here; what follows such a head is framed by that
length alone, so nothing is left to parse (RFC 9112 §6.3).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from cache.http.messages import Response

KEPT = 512
"""Heads; the least recently used goes first."""


@dataclass(frozen=True, slots=True)
class CachedHead:
    """What a head came to."""

    response: Response
    length: int
    """Octets of the content."""
    persistent: bool
    """The connection outlives the message, as far as the head says."""


class HeadCache:
    """Heads by their octets."""

    def __init__(self) -> None:
        self._heads: OrderedDict[bytes, CachedHead] = OrderedDict()

    def get(self, octets: bytes) -> CachedHead | None:
        """Return what these octets came to before."""
        known = self._heads.get(octets)
        if known is not None:
            self._heads.move_to_end(octets)
        return known

    def put(self, octets: bytes, known: CachedHead) -> None:
        """Remember what octets came to."""
        self._heads[octets] = known
        if len(self._heads) > KEPT:
            self._heads.popitem(last=False)
