"""A raw tunnel: bytes pass between client and origin untouched, no faster than the receiver takes them.

mitmproxy is not used for it: it would terminate what looks like TLS and go on in clear text, wait for the client to
speak first, and keep every byte in memory.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import cast

from addon.frontend.frontend import Frontend
from addon.origin import OriginFailure
from addon.runtime.access_log import format_line

logger = logging.getLogger(__name__)

TUNNEL_TIMEOUT = 600.0
"""Seconds without any bytes after which a tunnel is closed."""

SILENCE = 2.0
"""Seconds of silence after which a response inside is taken for complete when the proxy stops."""


class TunnelEnd(asyncio.Protocol):
    """One end of a tunnel: writes what it receives to the other end."""

    other: TunnelEnd
    transport: asyncio.Transport | None = None

    def __init__(self, tunnel: RawTunnel) -> None:
        self._tunnel = tunnel
        self.received = 0
        """Bytes received so far."""
        self.ended = False
        """The peer sends no more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Use this transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Write the data to the other end."""
        self._tunnel.bytes_passed(self)
        self.received += len(data)
        if self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end of input on; return whether the other end may still send."""
        self.ended = True
        if self.other.transport is None or self.other.ended:
            return False
        if self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end, after what is still to be written unless this end broke."""
        self._tunnel.end_lost(self)
        if self.other.transport is not None:
            self.other.transport.close() if exc is None else self.other.transport.abort()

    def pause_writing(self) -> None:
        """Stop reading at the other end."""
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on at the other end."""
        if self.other.transport is not None:
            self.other.transport.resume_reading()


class RawTunnel:
    """Joins a client to the host that its CONNECT named."""

    def __init__(self, frontend: Frontend, host: str, port: int, request_line: str) -> None:
        """Log the tunnel under `request_line` when it ends."""
        self.deadline = inf
        self._frontend = frontend
        self._address = host, port
        self._request_line = request_line
        self._client, self._origin = TunnelEnd(self), TunnelEnd(self)
        self._client.other, self._origin.other = self._origin, self._client
        self._connecting: asyncio.Task[None] | None = None
        self._last: TunnelEnd | None = None
        """The end that sent the last bytes."""
        self._finishing = False

    def start(self, transport: asyncio.Transport, data: bytes) -> None:
        """Connect to the origin, and join it to a client that has sent `data` already."""
        transport.pause_reading()
        transport.set_protocol(self._client)
        self._client.connection_made(transport)
        self._frontend.connections.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect(data))

    async def _connect(self, data: bytes) -> None:
        client = self._frontend.service.active.current.fetcher.client
        try:
            await client.connect(*self._address, self._origin)
        except OriginFailure as failure:
            logger.info("a tunnel was not opened: %s", failure.detail)
            self.abort()
            return
        transport = self._client.transport
        if transport is None or transport.is_closing():
            self.abort()
            return
        self._set_deadline()
        if data:
            self._client.data_received(data)
        transport.resume_reading()

    def bytes_passed(self, end: TunnelEnd) -> None:
        """Note that bytes of one end passed."""
        self._last = end
        self._set_deadline()

    def _set_deadline(self) -> None:
        # while the client waits for a response, the silence may last
        may_end = self._finishing and self._last is not self._client
        self.deadline = self._frontend.connections.now + (SILENCE if may_end else TUNNEL_TIMEOUT)

    def end_lost(self, end: TunnelEnd) -> None:
        """Forget the tunnel when one end is lost; log it when that is the client's."""
        connections = self._frontend.connections
        connections.discard(self)
        if end is self._client and end.transport is not None:
            connections.limits.release(end.transport)
            connections.write_log(end.transport, format_line(self._request_line, 200, self._origin.received, "tunnel"))

    def expire(self) -> None:
        """Close a tunnel in which no bytes pass any more."""
        self.abort()

    def finish(self) -> None:
        """Close once the origin has sent nothing for SILENCE seconds: it is not known what is a response inside."""
        self._finishing = True
        self._set_deadline()

    def abort(self) -> None:
        """Close both ends at once."""
        self._frontend.connections.discard(self)
        for end in (self._client, self._origin):
            if end.transport is not None:
                end.transport.abort()
