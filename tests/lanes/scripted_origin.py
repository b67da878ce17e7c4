"""An origin on a real loopback socket that responds when a conversation says so."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from contextlib import suppress
from typing import Literal, Self

from cache.http.messages import Fields
from tests.lanes.messages import OriginRequest, OriginResponse
from tests.lanes.script import Then

Failure = Literal["closes", "resets", "silent"]


class ScriptedOrigin:
    """Listens on a loopback port. Requests queue up: `next_request` takes one of them, `respond` responds to it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._tls = tls
        self._requests: asyncio.Queue[tuple[OriginRequest, _Connection]] = asyncio.Queue()
        self._connections: set[_Connection] = set()
        self._failing: Failure | None = None
        self._current: _Connection | None = None
        self._begun: deque[tuple[_Connection, OriginResponse]] = deque()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, after `stop` on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and close every connection."""
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
    def has_request(self) -> bool:
        """Return whether `next_request` has not taken every request yet."""
        return not self._requests.empty()

    async def next_request(self) -> OriginRequest:
        """Wait for the next request. The next response is the response to it."""
        request, self._current = await self._requests.get()
        return request

    async def respond(self, response: OriginResponse) -> None:
        """Send the response, or its first part, to the last request that `next_request` took."""
        assert self._current is not None
        if response.then == "more":
            self._begun.append((self._current, response))
        await self._current.send(response.to_bytes(), response.then)

    async def continue_response(self, body: bytes, then: Then) -> None:
        """Send more of the oldest response that has not ended."""
        connection, response = self._begun[0] if then == "more" else self._begun.popleft()
        await connection.send(response.framed(body, then), then)

    async def respond_with_bytes(self, data: bytes, then: Then) -> None:
        """Send bytes in place of a response."""
        assert self._current is not None
        await self._current.send(data, then)

    def fail(self, how: Failure) -> None:
        """End the exchange without a response. Do the same for every request until `recover`."""
        assert self._current is not None
        self._failing = how
        self._current.end(how)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer)
        self._connections.add(connection)
        with suppress(EOFError, OSError):
            while True:
                request = await connection.receive()
                if self._failing:
                    connection.end(self._failing)
                else:
                    self._requests.put_nowait((request, connection))
                await connection.exchange_ended.wait()
                connection.exchange_ended.clear()
        self._connections.discard(connection)
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


class _Connection:
    """A connection that the origin accepted.

    Attributes:
        task: The task that serves it.
        exchange_ended: Set when the response has ended, so that the next request may be read.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.exchange_ended = asyncio.Event()
        self._reader = reader
        self._writer = writer

    async def receive(self) -> OriginRequest:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        pairs = (each.partition(":") for each in lines)
        fields = Fields(tuple((name, value.strip()) for name, _, value in pairs))
        return OriginRequest(method, target, fields, await self._content(fields))

    async def _content(self, fields: Fields) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(fields.get("content-length") or "0"))
        content = b""
        while size := int(await self._reader.readline(), 16):
            content += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return content

    async def send(self, data: bytes, then: Then) -> None:
        self._writer.write(data)
        with suppress(OSError):  # the proxy may have closed the connection
            await self._writer.drain()
        if then in ("closes", "resets"):
            self.end(then)
        elif not then:
            self.exchange_ended.set()

    def end(self, how: str) -> None:
        if how == "silent":
            return
        if how == "resets":
            linger = struct.pack("ii", 1, 0)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()
        else:
            self._writer.close()
        self.exchange_ended.set()
