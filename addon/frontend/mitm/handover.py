"""Gives connections to mitmproxy: WebSocket, clients with HTTP/2 only, and HTTP in clear text inside tunnels.

Such a connection belongs to mitmproxy until it ends, and mitmproxy gets every byte as the client sent it. So no message
is ever parsed by two parsers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.mode_servers import ServerInstance

MAX_WAITING = 65_536
"""Bytes that may wait for mitmproxy before reading from the client is paused."""


class MitmproxyHandover:
    """Runs mitmproxy's connection handler on transports of the front end."""

    def __init__(self, proxyserver: Proxyserver, released: Callable[[asyncio.Transport], None]) -> None:
        """Give connections to `proxyserver`; call `released` when it is done with one."""
        self._proxyserver = proxyserver
        self._released = released
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, transport: asyncio.Transport, data: bytes, mode: str) -> None:
        """Give a transport to mitmproxy, with the bytes already read from it and mitmproxy's mode for it."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(MAX_WAITING, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        transport.resume_reading()  # before the reader may pause it
        reader.feed_data(data)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        instance: ServerInstance[Any] = ServerInstance.make(mode, self._proxyserver)
        task = loop.create_task(instance.handle_stream(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, transport))

    def _done(self, transport: asyncio.Transport, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._released(transport)

    async def close(self) -> None:
        """End the connections that mitmproxy still has, at once."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
