"""Sends frames on one HTTP/2 connection, and content as far as the windows and the socket of the peer take it.

Several streams with content take turns, one frame each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from addon.origin.http2 import frames
from addon.origin.http2.flow_control import DEFAULT_WINDOW, SendWindow
from addon.origin.http2.header_block import NO_TABLE

MAX_PENDING = 65_536
"""Bytes that are collected before they are given to the transport."""


class SendingStream(Protocol):
    """A stream, as far as sending needs it."""

    number: int
    window: SendWindow
    waiter: asyncio.Future[None] | None
    """Wakes the sender, which waits until it may send."""

    @property
    def sending_complete(self) -> bool:
        """Return whether nothing more may be sent on the stream."""


class Outbound:
    """The sending side of a connection.

    Attributes:
        transport: The transport to the peer.
        window: Bytes of content that may be sent on all streams together.
        blocked: The peer does not read what is written.
        content_sent: Bytes of content sent so far.
    """

    def __init__(self, transport: asyncio.Transport, on_content: Callable[[], None]) -> None:
        """Send on a transport; `on_content` is called for each frame of content."""
        self.transport = transport
        self.window = SendWindow(DEFAULT_WINDOW)
        self.blocked = False
        self.content_sent = 0
        self.confirms_table = False
        """The next header block has to tell that no table is used."""
        self._on_content = on_content
        self._parts: list[bytes] = []
        self._size = 0
        self._flush_soon: asyncio.Handle | None = None
        self._waiting: dict[int, SendingStream] = {}

    # ---- frames

    def write(self, *parts: bytes) -> None:
        """Send bytes of whole frames, soon."""
        self._parts += parts
        self._size += sum(map(len, parts))
        if self._size >= MAX_PENDING:
            self.flush()
        elif self._flush_soon is None:
            self._flush_soon = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Give what was collected to the transport."""
        if self._flush_soon is not None:
            self._flush_soon.cancel()
            self._flush_soon = None
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            if not self.transport.is_closing():
                self.transport.write(b"".join(parts))

    def write_headers(self, stream: int, block: bytes, *, end_stream: bool) -> None:
        """Send a header block."""
        if self.confirms_table:  # RFC 7541 §4.2
            self.confirms_table = False
            block = NO_TABLE + block
        self.write(frames.header_frames(stream, block, end_stream=end_stream))

    # ---- content

    def has_room(self, stream: SendingStream) -> bool:
        """Return whether content may be sent on a stream at once."""
        return min(stream.window.size, self.window.size) > 0 and not self.blocked

    async def room(self, stream: SendingStream, wanted: int) -> int:
        """Wait until content may be sent; return how many bytes, at most `wanted` and one frame.

        Returns 0 if nothing may be sent any more: the stream was reset, or the connection is lost.
        """
        while True:
            if stream.sending_complete or self.transport.is_closing():
                return 0
            size = min(wanted, stream.window.size, self.window.size, frames.MAX_FRAME)
            if size > 0 and not self.blocked:
                return size
            self._waiting[stream.number] = stream
            stream.waiter = asyncio.get_running_loop().create_future()
            try:
                await stream.waiter
            finally:
                stream.waiter = None
                self._waiting.pop(stream.number, None)

    def write_data(self, stream: SendingStream, data: bytes | memoryview, *, end_stream: bool) -> None:
        """Send content for which there is room."""
        size = len(data)
        stream.window.size -= size
        self.window.size -= size
        self.content_sent += size
        self._on_content()
        flags = frames.END_STREAM if end_stream else 0
        self.write(frames.HEAD.pack(size << 8 | frames.DATA, flags, stream.number), bytes(data))

    def wake(self, stream: SendingStream) -> None:
        """Have a sender look again whether it may send."""
        if stream.waiter is not None and not stream.waiter.done():
            stream.waiter.set_result(None)

    def wake_waiting(self) -> None:
        """Have the senders that wait look again, in the order in which they began to wait."""
        if self.window.size > 0 and not self.blocked:
            for stream in self._waiting.values():
                if stream.window.size > 0:
                    self.wake(stream)
