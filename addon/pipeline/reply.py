"""A reply: what goes to a client, before any protocol frames it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from addon.origin.exchange_times import ExchangeTimes
from addon.runtime.access_log.logged_response import UNPARSED_REQUEST, LoggedResponse
from cache.answer.cache_status import Handling
from cache.http.messages import Fields, Request, Response
from cache.http.record import record


@record
class FileRange:
    """A part of an open file. The descriptor is valid until the stream is closed."""

    descriptor: int
    start: int
    stop: int


@record
class Stream:
    """Content that is still coming.

    Iterating raises OriginFailure or StoreError if it ends short; the client's connection must be cut then.
    """

    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    """Releases the source of the content. Must be called, whether the content was read or not."""
    trailers: Callable[[], Fields] = Fields
    """Returns the trailer fields, once the last byte was read."""
    announced: str | None = None
    """The origin's Trailer field, for front ends that send trailers (RFC 9110 §6.6.2)."""
    is_empty: bool = False
    """It is known that there is no content, and there are no trailers."""
    file: FileRange | None = None
    """The same content in a file of the store, which may be sent instead of reading `chunks`."""
    is_stored: bool = False
    """All of it is in the store: a chunk that is read later comes as soon."""


@record
class Reply:
    """A response head, and its content in memory or as a stream."""

    head: Response
    content: bytes | Stream = b""
    handling: Handling | None = None
    """The part that the cache had in it; None for errors of this proxy's own."""
    refused: str | None = None
    """The reason for an error of this proxy's own, if `handling` is None."""
    upstream: ExchangeTimes | None = None
    """The times of the origin, if it was asked for this reply."""

    def logged(self, size: int, request: Request | None = None, line: str = UNPARSED_REQUEST) -> LoggedResponse:
        """Return this reply as it is logged, with `size` bytes of content; `request` and `line` as there."""
        return LoggedResponse(self.head.status, size, request, line, handling=self.handling, refused=self.refused)
