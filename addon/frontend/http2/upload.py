"""The content of a request over HTTP/2, on its way to the origin: no more of it is held than the stream's window."""

from __future__ import annotations

from collections.abc import Callable

from addon.frontend.incoming_content import IncomingContent
from addon.origin.http2.faults import ErrorCode, StreamFault


class Upload(IncomingContent):
    """Content on its way in. The connection feeds it; iterate over it to read.

    Attributes:
        length: The declared length in bytes, if there is one.
    """

    def __init__(self, length: int | None, on_read: Callable[[int], None]) -> None:
        """Call `on_read` with the number of bytes that have left memory."""
        super().__init__()
        self.length = length
        self._on_read = on_read
        self._data = bytearray()  # joined, since a client may send very small frames

    @property
    def waiting(self) -> int:
        """Return how many bytes the reader has not taken."""
        return len(self._data)

    def feed(self, data: bytes, *, ends: bool) -> None:
        """Take bytes. Raises StreamFault if they are more, or in the end fewer, than declared (RFC 9113 §8.1.1)."""
        self.received += len(data)
        if self.length is not None and (self.received > self.length or (ends and self.received < self.length)):
            self.fail("the client's content is not as long as it had declared")
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "The content is not as long as Content-Length says.")
        if self._broken is None:
            self._data += data
        elif data:
            self._on_read(len(data))
        self.complete = ends
        self._wake()

    def fail(self, why: str) -> None:
        """End the content, and drop what was not read."""
        if self._broken is None:
            self._broken = why
            dropped = len(self._data)
            self._data.clear()
            if dropped:
                self._on_read(dropped)
            self._wake()

    def __aiter__(self) -> Upload:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes. Raises BrokenRequestBody if the content ends short."""
        while not self._data:
            await self._wait()
        data = bytes(self._data)
        self._data.clear()
        self._on_read(len(data))
        return data
