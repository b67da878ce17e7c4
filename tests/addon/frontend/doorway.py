"""A door on a loopback port, with a service behind it; raw clients before it, raw origins behind it."""

from __future__ import annotations

import asyncio
import atexit
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Self

from mitmproxy import certs

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import Connections
from addon.frontend.frontend import Frontend
from addon.frontend.http1.connection_state import NOT_READ
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.handler import Handler
from addon.frontend.leaf_certificates import KEY_SIZE, LeafContexts
from addon.frontend.listener import Listener
from addon.runtime.access_log import AccessLog
from addon.runtime.event_loop import new_event_loop
from addon.server import max_descriptors, targets_of
from cache.policy.operator_rules import glob
from cache.rules.stored_response import StoredResponse
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, Script
from tests.lanes.http1_client import read_response
from tests.lanes.messages import ClientResponse
from tests.lanes.services import ServiceUnderTest
from tests.lanes.settings import interception_ca, origin_ca

TIMEOUT = 10.0
"""Seconds until something that must happen counts as not happening."""

PIECE = 65_536


@cache
def leaves() -> LeafContexts:
    """Return certificates for every door of this test run: to make the authority's key takes long."""
    certs.CertStore.from_store(interception_ca().parent, "mitmproxy", KEY_SIZE)
    made = LeafContexts(interception_ca().parent)
    atexit.register(made.close)
    return made


@cache
def origin_tls() -> ssl.SSLContext:
    """Return what an https origin shows."""
    return origin_ca().server_context("127.0.0.1", "localhost")


def trusting(*protocols: str) -> ssl.SSLContext:
    """Return the context of a client that trusts the proxy and offers these protocols."""
    leaves()
    context = ssl.create_default_context(cafile=str(interception_ca()))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class Client:
    """One raw connection to the door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def socket(self) -> Any:
        return self.writer.get_extra_info("socket")

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def answer(self, method: str = "GET") -> ClientResponse:
        """Return the next answer, framed strictly; an end where one must not be is a cut."""
        return await read_response(self.reader, method)

    async def ask(self, octets: bytes) -> ClientResponse:
        self.send(octets)
        return await self.answer(octets.partition(b" ")[0].decode("latin-1"))

    async def octets(self, count: int) -> bytes:
        return await self.reader.readexactly(count)

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Return everything up to the end of the connection, however it comes."""
        received = b""
        with suppress(ConnectionError):
            while octets := await self.reader.read(PIECE):
                received += octets
        return received

    def end(self) -> None:
        """Send no more, and go on reading."""
        self.writer.write_eof()

    def leave(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()

    async def start_tls(self, context: ssl.SSLContext, name: str = "127.0.0.1") -> None:
        await self.writer.start_tls(context, server_hostname=name)


class Doorway:
    """A door and whoever comes through it.

    Attributes:
        handed_over: What the door gave to mitmproxy: the octets already read, and the mode.
    """

    def __init__(self, tables: dict[str, Any]) -> None:
        given: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "store": {"kind": "memory", "max_size": 2**26},
            "origin": {"proxy": "none", "ca_files": [str(origin_ca().file)]},
            "tls": {"directory": str(interception_ca().parent)},
        }
        for name, table in tables.items():
            given[name] = {**given.get(name, {}), **table} if isinstance(table, dict) else table
        self.settings = Settings.model_validate(given)
        self.handed_over: list[tuple[bytes, str]] = []
        self._clients: list[Client] = []

    async def __aenter__(self) -> Self:
        self.house = ServiceUnderTest(self.settings)
        self.service = self.house.service
        await self.service.start()
        log = AccessLog(Path(self.settings.log.access)) if self.settings.log.access else None
        left_alone = tuple(glob(host) for host in self.settings.tls.leave_alone)
        limits = ConnectionLimits(self.settings.limits.connections_per_client, max_descriptors())
        service = self.service
        self.fast_path = FastPath(service.active, service.counters, service.clock, self.settings.memory.hot_size, log)
        self.connections = Connections(limits, service.clock, log, each_second=self.fast_path.report_uses)
        frontend = Frontend(service, self.connections, leaves(), self._hand_over, left_alone)
        self.listener = Listener(Handler(frontend, self.fast_path), targets_of(self.settings))
        await self.listener.start("127.0.0.1", 0)
        self.address = self.listener.address
        self.service.listens_at(*self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            client.leave()
        await self.listener.close()
        # a response first, then what closes its content: that goes on by itself when the client is gone
        for names in (("answer",), ("aclose", "close", "leave")):
            ending = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") in names]
            await asyncio.wait(ending, timeout=1) if ending else None
        await self.service.close()

    def _hand_over(self, transport: asyncio.Transport, octets: bytes, mode: str) -> None:
        self.handed_over.append((octets, mode))
        transport.close()

    async def client(self, **options: int) -> Client:
        """Connect; `options` may say how little the client takes in at a time (`receive_buffer`)."""
        connection = socket.socket()
        if size := options.get("receive_buffer"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, self.address)
        client = Client(*await asyncio.open_connection(sock=connection, limit=options.get("limit", 2**16)))
        self._clients.append(client)
        return client

    async def tunnel(self, authority: str, context: ssl.SSLContext | None = None, name: str = "127.0.0.1") -> Client:
        """Return a client inside a CONNECT tunnel, TLS begun if there is a context."""
        client = await self.client()
        client.send(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (authority.encode(), authority.encode()))
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        if context:
            await client.start_tls(context, name)
        return client

    def later(self, seconds: float) -> None:
        """Let the door look round as if so many seconds had passed."""
        for connection in list(self.connections):
            connection.deadline -= seconds
            if connection.deadline < self.connections.now:
                connection.expire()

    def stored(self) -> tuple[StoredResponse, ...]:
        return tuple(self.service.store.entries())


def is_blocked(connection: object) -> bool:
    """Return whether the client of an HTTP/1 connection does not read what is written to it."""
    return getattr(connection, "_state", None) in NOT_READ


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not condition():
        await asyncio.sleep(0.001)


type Conversation = Callable[[Doorway, RawOrigin], Awaitable[None]]


def converse(
    conversation: Conversation, *scripts: Script, secure: ssl.SSLContext | None = None, **tables: dict[str, Any] | str
) -> None:
    """Hold a conversation through a door, with an origin that follows scripts; `tables` are settings."""

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with RawOrigin(*scripts, tls=secure) as origin, Doorway(tables) as doorway:
            async with asyncio.timeout(TIMEOUT):
                await conversation(doorway, origin)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    gc.collect()  # so that what was left open is reported in the test that left it


async def by_path(peer: Peer) -> None:
    """Answer every request with its path; what begins with /fresh may be stored."""
    while True:
        path = (await peer.request()).split(b" ")[1]
        fresh = b"Cache-Control: max-age=60\r\n" if path.startswith(b"/fresh") else b""
        await peer.send(HEAD + fresh + b"Content-Length: %d\r\n\r\n%b" % (len(path), path))


def get(origin: RawOrigin, path: str = "/", *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request for an origin, as clients send it to a proxy."""
    authority = f"127.0.0.1:{origin.port}"
    return request(f"{method} http://{authority}{path} HTTP/1.1", f"Host: {authority}", *lines) + body


def request(*lines: str) -> bytes:
    return "".join([f"{line}\r\n" for line in (*lines, "")]).encode("latin-1")
