"""One HTTP/2 stream as a transport, so that tunnels are the same over every protocol (RFC 9113 §8.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from addon.frontend.client_gone import ClientGone
from addon.frontend.connections import LINGER
from addon.frontend.http2.stream import Stream
from addon.frontend.http2.upload import Upload
from addon.origin import BrokenRequestBody

HIGH_WATER, LOW_WATER = 65_536, 16_384
"""Bytes that wait to be sent: above the first the protocol is paused, at the second it goes on."""

MAX_SENT = 65_536
"""Bytes that are given to the stream at a time."""


class StreamTransport(asyncio.Transport):
    """The DATA frames of a stream, in both directions; `run` moves them.

    END_STREAM is the end of one direction. An aborted tunnel, or a connection that is lost, resets the stream.
    """

    def __init__(self, stream: Stream, upload: Upload | None) -> None:
        """Use a stream; without `upload`, the client has ended its direction already."""
        super().__init__()
        self._stream = stream
        self._upload = upload
        self._protocol: asyncio.Protocol
        self._unsent = bytearray()
        self._wake_sender = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._protocol_paused = False
        self._ends = self._closing = False
        self._ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Done once the tunnel has ended: True if it ended in order."""

    async def run(self) -> bool:
        """Pass bytes both ways until the tunnel ends; return whether it ended in order."""
        loop = asyncio.get_running_loop()
        receiving, sending = loop.create_task(self._receive()), loop.create_task(self._send())
        in_order = False
        try:
            try:
                in_order = await self._ended
            finally:
                self._closing = True
                self._protocol.connection_lost(None if in_order else ConnectionResetError())
            if in_order:  # a client may drop what it has not read yet when a reset comes
                await asyncio.wait([receiving], timeout=LINGER)
        finally:
            receiving.cancel()
            sending.cancel()
        return in_order

    async def _receive(self) -> None:
        """Pass on what the client sends, and its end; after the end of the tunnel, drop it."""
        try:
            if self._upload is not None:
                async for data in self._upload:
                    await self._reading.wait()
                    if not self._closing:
                        self._protocol.data_received(data)
        except BrokenRequestBody:
            self.abort()
            return
        await self._reading.wait()
        if not self._closing and not self._protocol.eof_received():
            self.close()

    async def _send(self) -> None:
        """Send what was written, no faster than the client takes it, and then the end."""
        try:
            while self._unsent or not self._ends:
                if not self._unsent:
                    self._wake_sender.clear()
                    await self._wake_sender.wait()
                    continue
                data = bytes(self._unsent[:MAX_SENT])
                del self._unsent[:MAX_SENT]
                await self._stream.send_content(data, end_stream=False)
                if self._protocol_paused and len(self._unsent) <= LOW_WATER:
                    self._protocol_paused = False
                    self._protocol.resume_writing()
            await self._stream.send_content(b"", end_stream=True)
        except ClientGone:
            self.abort()
            return
        if self._closing:
            self._end(in_order=True)

    def _end(self, *, in_order: bool) -> None:
        if not self._ended.done():
            self._ended.set_result(in_order)

    # ---- the transport of what is in the tunnel

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data, soon."""
        if not data or self._ends or self._closing:
            return
        self._unsent += data
        self._wake_sender.set()
        if len(self._unsent) > HIGH_WATER and not self._protocol_paused:
            self._protocol_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send data, soon."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Return True: END_STREAM ends one direction only."""
        return True

    def write_eof(self) -> None:
        """End this side's direction, once everything is sent."""
        self._ends = True
        self._wake_sender.set()

    def close(self) -> None:
        """End the tunnel, once everything is sent."""
        if self._closing:
            return
        self._closing = True
        self._reading.set()
        self.write_eof()
        if self._stream.sending_complete:
            self._end(in_order=True)

    def abort(self) -> None:
        """End the tunnel at once."""
        self._closing = True
        self._unsent.clear()
        self._end(in_order=False)

    def is_closing(self) -> bool:
        """Return whether the tunnel is ending."""
        return self._closing or self._ended.done()

    def pause_reading(self) -> None:
        """Take nothing more from the client, whose window is used up then."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Take what the client sends."""
        self._reading.set()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return len(self._unsent)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: the limits are the same for all streams."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the addresses of the connection, and nothing else of it: its socket is not this stream's."""
        return self._stream.transport.get_extra_info(name, default) if name in ("peername", "sockname") else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Pass what the client sends to this protocol from now on."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that gets what the client sends."""
        return self._protocol
