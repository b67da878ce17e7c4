"""The addon of `serve` that watches clients from the time when they connect until mitmproxy knows their protocol."""

from __future__ import annotations

import asyncio

from mitmproxy import http, tcp
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client
from mitmproxy.proxy.server import ConnectionIO

from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import HEAD_TIMEOUT


class ServedClients:
    """Refuses clients with too many connections, and ends those that do not begin to speak a protocol.

    mitmproxy itself has one time limit for everything, which must be long enough for streams.
    """

    name = "secondhand-clients"

    def __init__(self, proxyserver: Proxyserver, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._proxyserver = proxyserver
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._admitted: dict[str, asyncio.BaseTransport] = {}

    def client_connected(self, client: Client) -> None:
        """Count a connection over TCP, or refuse it."""
        connection = self._io(client)
        if connection is None or not isinstance(connection.writer, asyncio.StreamWriter):
            return  # over UDP, mitmproxy makes a connection of each client's datagrams, and ends it soon
        transport = connection.writer.transport
        client.error = self.limits.admit(transport)
        if client.error is None:
            self._admitted[client.id] = transport
            self.begin(client)

    def client_disconnected(self, client: Client) -> None:
        """Stop counting a connection."""
        self.end(client)
        if transport := self._admitted.pop(client.id, None):
            self.limits.release(transport)

    def http_connected(self, flow: http.HTTPFlow) -> None:
        """Wait for the TLS handshake, or for the first request in the tunnel."""
        self.begin(flow.client_conn)

    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        """Leave a connection alone whose bytes are passed through."""
        self.end(flow.client_conn)

    def begin(self, client: Client) -> None:
        """Give a client a time in which it must begin to speak a protocol."""
        self.end(client)
        self._timers[client.id] = asyncio.get_running_loop().call_later(HEAD_TIMEOUT, self._expire, client)

    def end(self, client: Client) -> None:
        """End that time: the protocol is known, and has limits of its own."""
        if timer := self._timers.pop(client.id, None):
            timer.cancel()

    def _expire(self, client: Client) -> None:
        self._timers.pop(client.id, None)
        connection = self._io(client)
        if connection is not None and connection.handler is not None:
            connection.handler.cancel("timeout")

    def _io(self, client: Client) -> ConnectionIO | None:
        handler = self._proxyserver.connections.get(client.id)
        return handler.transports.get(client) if handler else None
