"""Reads the header of the PROXY protocol at the beginning of a connection, and refuses the connection without one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from addon.frontend.connections import HEAD_TIMEOUT, Connections, has_unread_input
from addon.frontend.gateway.proxied_transport import ProxiedTransport
from addon.frontend.gateway.proxy_protocol import MalformedProxyHeader, read_header

logger = logging.getLogger(__name__)

Begin = Callable[[asyncio.Transport, bytes], None]
"""Begins the connection itself, on a transport whose peer is the client, with bytes that have arrived already."""


class ProxyReader(asyncio.Protocol):
    """A connection from a trusted proxy whose header has not arrived yet."""

    def __init__(self, connections: Connections, begin: Begin, refuse: Callable[[], None]) -> None:
        """Begin the connection after its header.

        Args:
            connections: All connections of clients.
            begin: Begins it.
            refuse: Called when the header is malformed, and the connection is closed.
        """
        self.deadline = connections.now + HEAD_TIMEOUT
        self._connections = connections
        self._begin = begin
        self._refuse = refuse
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the header on this transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Begin the connection once the header is complete."""
        self._received += data
        try:
            header = read_header(self._received)
        except MalformedProxyHeader as malformed:
            logger.info("a connection is refused: %s", malformed)
            self._refuse()
            self.abort()
            return
        if header is None:
            return
        self._connections.discard(self)
        transport = self._transport
        if header.source is not None:
            # it has the methods of a transport, and is none only to the type checker
            transport = cast("asyncio.Transport", ProxiedTransport(transport, header.source))
        self._begin(transport, self._received[header.length :])

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.discard(self)

    def expire(self) -> None:
        """End: the header did not come in time."""
        self.abort()

    def finish(self) -> None:
        """End, unless the header is on its way: a request follows it."""
        if not self._received and not has_unread_input(self._transport):
            self.abort()

    def end_if_idle(self) -> None:
        """End if nothing has arrived."""
        self.finish()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()
