"""Gives connections that the door does not speak to mitmproxy: WebSocket, h2 alone, tunnels of other protocols.

Such a connection belongs to mitmproxy until it ends, and it gets every octet as the client sent it: two parsers never
argue about one message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.mode_servers import ServerInstance

LIMIT = 65_536
"""Octets that wait for mitmproxy before the client has to."""


class HandOver:
    """mitmproxy's side of the door."""

    def __init__(self, proxyserver: Proxyserver, leave: Callable[[asyncio.Transport], None]) -> None:
        """Give connections to `proxyserver`; `leave` is told when it is done with one."""
        self._proxyserver = proxyserver
        self._leave = leave
        self._handled: set[asyncio.Task[None]] = set()

    def __call__(self, transport: asyncio.Transport, octets: bytes, mode: str) -> None:
        """Give a transport away: the octets already read from it, and the mode that it is to be handled in."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(LIMIT, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        transport.resume_reading()  # before the reader may want it to pause
        reader.feed_data(octets)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        instance: ServerInstance[Any] = ServerInstance.make(mode, self._proxyserver)
        task = loop.create_task(instance.handle_stream(reader, writer))
        self._handled.add(task)
        task.add_done_callback(partial(self._done, transport))

    def _done(self, transport: asyncio.Transport, task: asyncio.Task[None]) -> None:
        self._handled.discard(task)
        self._leave(transport)

    async def close(self) -> None:
        """End what mitmproxy still has."""
        for task in list(self._handled):
            task.cancel()
        await asyncio.gather(*self._handled, return_exceptions=True)
