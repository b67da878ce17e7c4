"""What goes to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from cache.cachestatus import Handling
from cache.messages import Response


@dataclass(frozen=True, slots=True)
class Stream:
    """Octets that are still coming.

    Iterating raises OriginFailure or StoreError where they end short; the client must then be cut off.
    """

    octets: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    """Lets go of where they come from. Must be called, whether they were read or not."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A head, and content that is at hand or still coming."""

    head: Response
    content: bytes | Stream = b""
    handling: Handling | None = None
    """How the cache took part; None for errors of this proxy's own."""
