"""An origin that says octet for octet what a test tells it to, on a real loopback socket."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\nok"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = b"X: " + b"a" * 1000 + b"\r\n"
QUICK = 0.05
"""Seconds: a timeout that a test wants to see expire."""


class Peer:
    """One connection that the origin accepted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]) -> None:
        self._reader = reader
        self._writer = writer
        self._requests = requests

    async def request(self, up_to: bytes = b"\r\n\r\n") -> bytes:
        """Wait for a request head and note it. Raises EOFError when the client closes instead."""
        head = await self._reader.readuntil(up_to)
        self._requests.append(head)
        return head

    async def send(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    def send_now(self, octets: bytes) -> None:
        """Send a few octets before the event loop does anything else; none means the end of sending."""
        with socket.socket(fileno=os.dup(self._writer.get_extra_info("socket").fileno())) as same:
            same.send(octets) if octets else same.shutdown(socket.SHUT_WR)

    def protocol(self) -> str | None:
        """Return the protocol that ALPN chose."""
        tls = self._writer.get_extra_info("ssl_object")
        return str(tls.selected_alpn_protocol()) if tls else None

    async def close(self) -> None:
        """End in order: FIN, over TLS behind close_notify."""
        self._writer.close()
        with suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()

    def cut(self) -> None:
        """End without a word: over TLS no close_notify."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """End with a TCP reset."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.cut()

    async def client_closed(self) -> bool:
        """Wait until the client closes. True unless it sends something first."""
        with suppress(ConnectionError):
            return await self._reader.read(1) == b""
        return True

    async def closed_after_octets(self) -> bool:
        """Wait until the client closes, whatever it sends before. Always true."""
        with suppress(ConnectionError):
            while await self._reader.read(65_536):
                pass
        return True

    async def join(self, port: int) -> None:
        """Carry octets to and from another port, until either side ends: what a proxy does after CONNECT."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_copy(self._reader, writer), _copy(reader, self._writer))
        finally:
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(65_536):
            writer.write(octets)
            await writer.drain()
    writer.close()


type Script = Callable[[Peer], Awaitable[None]]


def answering(*replies: bytes, then_close: bool = False) -> Script:
    """On each connection, answer one request after another, then wait for the client to close (or do it first)."""

    async def script(peer: Peer) -> None:
        for reply in replies:
            await peer.request()
            await peer.send(reply)
        if not then_close:
            await peer.client_closed()
        await peer.close()

    return script


async def endless(peer: Peer) -> None:
    """Answer every request until the client closes."""
    while True:
        await peer.request()
        await peer.send(OK)


class RawOrigin:
    """Listens on a loopback port; runs one script a connection, the last one for every further connection.

    Attributes:
        port: Where it listens.
        requests: Every request head, in the order of arrival.
        connections: How many it accepted.
        most_at_once: The most that were open at the same time.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.most_at_once = 0
        self.port = 0
        self._open = 0
        self._scripts = scripts
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        peer = Peer(reader, writer, self.requests)
        try:
            await script(peer)
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            peer.cut()
            self._open -= 1
            self._tasks.discard(task)
