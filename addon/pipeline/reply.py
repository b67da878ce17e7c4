"""What goes to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from cache.answer.cache_status import Handling
from cache.http.messages import Fields, Response
from cache.policy.reasons import NotStored


@dataclass(frozen=True, slots=True)
class FileRange:
    """A part of an open file; the descriptor is good until the stream is closed."""

    descriptor: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Octets that are still coming.

    Iterating raises OriginFailure or StoreError where they end short; the client must then be cut off.
    """

    octets: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    """Lets go of where they come from. Must be called, whether they were read or not."""
    trailers: Callable[[], Fields] = Fields
    """Returns what belongs behind the last octet, once that was read; for a client that can take trailers."""
    announced: str | None = None
    """What the origin's Trailer field said, for whoever sends trailers (RFC 9110 §6.6.2)."""
    file: FileRange | None = None
    """Where the same octets lie in a file of the store: it may be sent from there instead of reading `octets`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A head, and content that is at hand or still coming."""

    head: Response
    content: bytes | Stream = b""
    handling: Handling | None = None
    """How the cache took part; None for errors of this proxy's own."""
    not_stored: NotStored | None = None
    """Why what was relayed is not stored, where that is known before its content comes."""
