"""A raw tunnel: bytes pass between client and origin untouched, no faster than the receiver takes them.

It is what a CONNECT leads to if the bytes inside are not read here, and what a WebSocket is after its handshake.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from math import inf
from typing import cast

from addon.frontend.connection_limits import address_of
from addon.frontend.connections import STALL_TIMEOUT
from addon.frontend.frontend import Frontend
from addon.origin import OriginFailure, OriginResponse
from addon.runtime.access_log.logged_response import LoggedResponse

logger = logging.getLogger(__name__)

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
        self.lost = False
        """The transport is closed."""

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
        """Pass the end of input on; return whether the other end may still send.

        TLS has no half-closed connections that peers understand. So the end of a TLS connection ends both directions,
        and one that cannot be told of an end is closed after its last answer: Chromium ends a stream of HTTP/2 together
        with the message that closes its WebSocket.
        """
        self.ended = True
        own, other = self.transport, self.other.transport
        if own is None or other is None or self.other.ended or not own.can_write_eof():
            return False
        if other.can_write_eof():
            other.write_eof()
        else:
            self._tunnel.finish()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end, after what is still to be written unless this end broke."""
        self.lost = True
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
    """Joins a client to a host."""

    def __init__(self, frontend: Frontend, logged: Callable[[int], LoggedResponse], client: str = "") -> None:
        """Log the tunnel when it ends.

        Args:
            frontend: The parts that all connections share.
            logged: Returns what is logged, by how many bytes the origin has sent.
            client: The client's address, if it is not that of its connection.
        """
        self._address = client
        self.deadline = inf
        self._frontend = frontend
        self._logged, self._began = logged, frontend.connections.clock()
        self._client, self._origin = TunnelEnd(self), TunnelEnd(self)
        self._client.other, self._origin.other = self._origin, self._client
        self._connecting: asyncio.Task[None] | None = None
        self._last: TunnelEnd | None = None
        """The end that sent the last bytes."""
        self._finishing = self._closing = False

    def start(self, transport: asyncio.Transport, data: bytes, host: str, port: int) -> None:
        """Connect to a host, and join it to a client that has sent `data` already."""
        transport.pause_reading()
        self._take_client(transport)
        self._connecting = asyncio.get_running_loop().create_task(self._connect(data, host, port))

    def join(self, transport: asyncio.Transport, data: bytes, switched: OriginResponse) -> None:
        """Join a client that has sent `data` already to the connection on which the origin has `switched` protocols."""
        self._take_client(transport)
        switched.join(self._origin)
        self._begin(transport, data)

    def _take_client(self, transport: asyncio.Transport) -> None:
        transport.set_protocol(self._client)
        self._client.connection_made(transport)
        self._frontend.connections.add(self)

    async def _connect(self, data: bytes, host: str, port: int) -> None:
        client = self._frontend.service.active.current.fetcher.client
        try:
            await client.connect(host, port, self._origin)
        except OriginFailure as failure:
            logger.info("a tunnel was not opened: %s", failure.detail)
            self.abort()
            return
        transport = self._client.transport
        if transport is None or transport.is_closing():
            self.abort()
            return
        self._begin(transport, data)

    def _begin(self, transport: asyncio.Transport, data: bytes) -> None:
        """Pass bytes, now that both ends are connected."""
        if transport.is_closing():  # the origin has closed its connection already
            return
        self._finishing = not self._frontend.connections.accepting
        self._set_deadline()
        transport.resume_reading()
        if data:
            self._client.data_received(data)

    def bytes_passed(self, end: TunnelEnd) -> None:
        """Note that bytes of one end passed."""
        self._last = end
        self._set_deadline()

    def _set_deadline(self) -> None:
        # while the client waits for a response, the silence may last
        may_end = self._finishing and self._last is not self._client
        silence = SILENCE if may_end else self._frontend.service.settings.limits.tunnel_timeout
        self.deadline = self._frontend.connections.now + silence

    def end_lost(self, end: TunnelEnd) -> None:
        """Log the tunnel when its client is lost. Forget it with the last end: until then its deadline counts."""
        connections = self._frontend.connections
        if end.other.lost or end.other.transport is None:
            connections.discard(self)
        if end is self._client and end.transport is not None:
            connections.limits.release(end.transport)
            address = self._address or address_of(end.transport)
            connections.note_sent(
                self._logged(self._origin.received), address, began=self._began, transport=end.transport
            )

    def expire(self) -> None:
        """Close a tunnel in which no bytes pass any more: in order if it was to end, else at once."""
        if self._closing or not self._finishing:
            self.abort()
            return
        self._closing = True
        self.deadline = self._frontend.connections.now + STALL_TIMEOUT  # for the peers to read what is left
        for end in (self._client, self._origin):
            if end.transport is not None:
                end.transport.close()

    def end_if_idle(self) -> None:
        """Do nothing: it is not known what is a response inside."""

    def finish(self) -> None:
        """Close once the origin has answered and is silent: it is not known what is a response inside."""
        self._finishing = True
        self._set_deadline()

    def abort(self) -> None:
        """Close both ends at once."""
        self._frontend.connections.discard(self)
        for end in (self._client, self._origin):
            if end.transport is not None:
                end.transport.abort()
