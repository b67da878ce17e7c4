"""The content of a request, on its way from a client to an origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContent:
    """Octets that are still coming, and how many: they are framed anew for the origin (RFC 9112 §6)."""

    chunks: AsyncIterator[bytes]
    """Read as fast as the origin takes them. Where it raises, the exchange fails; if it can be closed, it is."""
    length: int | None = None
    """Octets in all, or None where only their end tells: then they are sent in chunks."""
