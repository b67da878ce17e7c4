"""Ends the connections that mitmproxy has when the proxy stops: each as soon as no response is under way on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from weakref import WeakSet

from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.server import ConnectionHandler

INTERVAL = 0.05
"""Seconds between two looks at the connections. mitmproxy does not tell when it has sent a response."""


class FlowsUnderWay:
    """The exchanges of mitmproxy's clients."""

    def __init__(self) -> None:
        self._flows: WeakSet[http.HTTPFlow] = WeakSet()

    def add(self, flow: http.HTTPFlow) -> None:
        """Note an exchange whose request has begun."""
        self._flows.add(flow)

    def clients(self) -> frozenset[str]:
        """Return the ids of the client connections on which a response is under way. WebSockets do not count."""
        return frozenset(flow.client_conn.id for flow in self._flows if flow.live and flow.websocket is None)


async def drain(proxyserver: Proxyserver, busy_clients: Callable[[], frozenset[str]]) -> None:
    """Accept no more connections, and wait until all have ended.

    A connection is closed when it was without a response under way at two looks.
    """
    await proxyserver.servers.update([])
    idle_before: frozenset[str] = frozenset()
    while handlers := _handlers(proxyserver.connections.values()):
        idle = frozenset(handlers) - busy_clients()
        for client in idle & idle_before:
            _close(handlers[client])
        idle_before = idle
        await asyncio.sleep(INTERVAL)


def _handlers(handlers: Iterable[ConnectionHandler]) -> dict[str, ConnectionHandler]:
    return {handler.client.id: handler for handler in handlers}


def _close(handler: ConnectionHandler) -> None:
    """Close a client's connection after what is still to be written."""
    transport = handler.transports.get(handler.client)
    if transport is not None and transport.writer is not None:
        transport.writer.close()
