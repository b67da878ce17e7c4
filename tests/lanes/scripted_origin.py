"""A real origin on a loopback socket, which answers when it is told to."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from contextlib import suppress
from typing import Literal, Self

from cache.http.messages import Fields
from tests.lanes.messages import Reply, Seen
from tests.lanes.script import Then

Failure = Literal["closes", "resets", "silent"]


class ScriptedOrigin:
    """Listens on a loopback port. Requests queue up in `seen`; each waits for `send`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._tls = tls
        self._requests: asyncio.Queue[tuple[Seen, _Connection]] = asyncio.Queue()
        self._connections: set[_Connection] = set()
        self._failing: Failure | None = None
        self._current: _Connection | None = None
        self._begun: deque[tuple[_Connection, Reply]] = deque()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    async def listen(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def vanish(self) -> None:
        """Listen no more and close every connection."""
        assert self._server is not None
        self._server.close()
        tasks = [connection.task for connection in self._connections]
        for connection in list(self._connections):
            connection.end("closes")
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    def recover(self) -> None:
        """Stop failing."""
        self._failing = None

    @property
    def asked(self) -> bool:
        """Tell whether a request waits for an answer that no line of the conversation has given."""
        return not self._requests.empty()

    async def seen(self) -> Seen:
        """Wait for the next request; what is sent from now on answers it."""
        seen, self._current = await self._requests.get()
        return seen

    async def send(self, reply: Reply) -> None:
        """Answer the request that was last seen."""
        assert self._current is not None
        if reply.then == "more":
            self._begun.append((self._current, reply))
        await self._current.send(reply.octets(), reply.then)

    async def go_on(self, body: bytes, then: Then) -> None:
        """Send more of the answer that was begun first and has not ended."""
        connection, reply = self._begun[0] if then == "more" else self._begun.popleft()
        await connection.send(reply.framed(body, then), then)

    async def send_octets(self, octets: bytes, then: Then) -> None:
        """Send octets, and what comes `then`."""
        assert self._current is not None
        await self._current.send(octets, then)

    def fail(self, how: Failure) -> None:
        """Give the request that was last seen no answer, and the same to those that come until `recover`."""
        assert self._current is not None
        self._failing = how
        self._current.end(how)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer)
        self._connections.add(connection)
        with suppress(EOFError, OSError):
            while True:
                seen = await connection.receive()
                if self._failing:
                    connection.end(self._failing)
                else:
                    self._requests.put_nowait((seen, connection))
                await connection.turn.wait()
                connection.turn.clear()
        self._connections.discard(connection)
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.turn = asyncio.Event()
        """The request has been answered; the next one may come."""
        self._reader = reader
        self._writer = writer

    async def receive(self) -> Seen:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        pairs = (each.partition(":") for each in lines)
        fields = Fields(tuple((name, value.strip()) for name, _, value in pairs))
        return Seen(method, target, fields, await self._content(fields))

    async def _content(self, fields: Fields) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(fields.get("content-length") or "0"))
        content = b""
        while size := int(await self._reader.readline(), 16):
            content += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return content

    async def send(self, octets: bytes, then: Then) -> None:
        self._writer.write(octets)
        with suppress(OSError):  # the proxy may have heard enough
            await self._writer.drain()
        if then in ("closes", "resets"):
            self.end(then)
        elif not then:
            self.turn.set()

    def end(self, how: str) -> None:
        if how == "silent":
            return
        if how == "resets":
            linger = struct.pack("ii", 1, 0)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()
        else:
            self._writer.close()
        self.turn.set()
