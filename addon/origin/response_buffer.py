"""What has come of a response so far, for whoever waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from addon.origin.errors import FailureKind, OriginFailure
from cache.http.messages import Fields, Response

SMALL = 65_536
"""Octets of content that are worth waiting for a moment."""

MOMENT = 0.02
"""Seconds."""

_NO_FIELDS = Fields()


class ResponseBuffer:
    """What has come of a response. The connection feeds it; whoever asked reads it.

    Attributes:
        head: The final response's head, once it is whole.
        trailers: What came behind the content, kept apart from the head (RFC 9110 §6.5.1).
        complete: The message was received to its end.
        failure: Why it never will be.
        surplus: Octets followed the complete message; the connection must not be used again.
        persistent: The connection outlives this message, as far as the message says.
        received: Octets so far, interim responses included.
        buffered: Octets of the body that wait for the reader.
    """

    def __init__(self, where: str) -> None:
        """Expect a response from `where`, as failures are to call it."""
        self.head: Response | None = None
        self.trailers = _NO_FIELDS
        self.complete = False
        self.failure: OriginFailure | None = None
        self.surplus = False
        self.persistent = False
        self.received = 0
        self.buffered = 0
        self.heard: Callable[[], None] | None = None
        """Called with everything that comes, for who does not wait in a task."""
        self._where = where
        self._small = False
        self._chunks: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None

    @property
    def over(self) -> bool:
        """Tell whether nothing more will come."""
        return self.complete or self.failure is not None

    def fail(self, kind: FailureKind, what: str) -> None:
        """End the exchange with a failure, unless it is over. `what` completes the sentence `<origin> ...`."""
        if self.over:
            return
        unreachable = kind in {FailureKind.CONNECTION_TERMINATED, FailureKind.CONNECTION_READ_TIMEOUT}
        self.failure = OriginFailure(kind, f"{self._where} {what}", disconnected=unreachable and self.head is None)
        self._wake()

    def take(self) -> bytes | None:
        """Return the next octets of the body, or None if none wait."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.buffered -= len(chunk)
        return chunk

    def whole(self) -> bytes | None:
        """Return all of the body if the message is complete and none of it was taken, or None; takes it."""
        if not self.complete:
            return None
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self.buffered = 0
        return body

    @property
    def refused(self) -> bool:
        """Tell whether the origin's answer says that it does not want what of the request has not been sent."""
        return self.head is not None and self.head.status >= 300

    def is_nearly_whole(self) -> bool:
        """Tell whether no more is missing than comes in a moment, unless that is over."""
        return not self.complete and self._small and self.failure is None

    def hurry(self) -> None:
        """Let nobody wait any longer for the rest."""
        self._small = False
        self._wake()
        self.tell()

    def tell(self) -> None:
        """Tell who does not wait in a task that something has come."""
        if self.heard is not None:
            self.heard()

    async def rest(self) -> None:
        """Wait a moment for the rest of a small message: to pass it on in one piece is less work for everybody."""
        if self.is_nearly_whole():
            hurry = asyncio.get_running_loop().call_later(MOMENT, self.hurry)
            while self.is_nearly_whole():
                await self.progress()
            hurry.cancel()

    async def progress(self) -> None:
        """Wait until something arrives or the exchange is over."""
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
