"""Runs conversations with the HTTP/1 front end on a loopback port, between raw clients and raw origins."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

from mitmproxy import certs

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import Connections
from addon.frontend.frontend import Frontend
from addon.frontend.gateway.certificates import Certificates
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.connection_state import NOT_READ
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.handler import Handler
from addon.frontend.http2.connection import Http2Connection
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.leaf_certificates import KEY_SIZE, LeafContexts
from addon.frontend.listener import Listener
from addon.runtime.event_loop import new_event_loop
from addon.serve.front_end import access_log, purge_clients_of, targets_of, tls_of, watch
from addon.serve.listening_sockets import close_all, sockets_for
from addon.serve.process_limits import max_descriptors
from addon.service import Service
from cache.policy.operator_rules import glob
from cache.rules.stored_response import StoredResponse
from tests.fixtures.free_port import free_port
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin, Script
from tests.lanes.http1_client import read_response
from tests.lanes.manual_clock import ManualClock
from tests.lanes.messages import ClientResponse
from tests.lanes.settings import interception_ca, origin_ca

TIMEOUT = 60.0
"""Seconds that one conversation may take, and that its tasks may take to end."""

READ_SIZE = 65_536


# ---- TLS


@cache
def leaf_contexts() -> LeafContexts:
    """Return the TLS contexts for intercepted hosts, the same for all tests: a new CA key takes long to generate."""
    certs.CertStore.from_store(interception_ca().parent, "mitmproxy", KEY_SIZE)
    return LeafContexts(interception_ca().parent)


@cache
def origin_tls() -> ssl.SSLContext:
    """Return the TLS context of an https origin."""
    return origin_ca().server_context("127.0.0.1", "localhost")


def client_tls(*protocols: str) -> ssl.SSLContext:
    """Return the TLS context of a client that trusts the proxy's CA and offers these protocols in ALPN."""
    leaf_contexts()
    context = ssl.create_default_context(cafile=str(interception_ca()))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def client_hello(name: str | None = "a.example", *protocols: str) -> bytes:
    """Return the first bytes that a TLS client sends to the server `name`."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


# ---- clients


class Client:
    """One raw connection to the front end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def socket(self) -> Any:
        return self.writer.get_extra_info("socket")

    @property
    def unsent(self) -> int:
        """Number of bytes that wait in this process, because the proxy does not read them."""
        return self.writer.transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def response(self, method: str = "GET") -> ClientResponse:
        """Return the next response to a request with this method, parsed strictly; one that ends short is `cut`."""
        return await read_response(self.reader, method)

    async def fetch(self, data: bytes) -> ClientResponse:
        """Send a request, and return the response."""
        self.send(data)
        return await self.response(data.partition(b" ")[0].decode("latin-1"))

    async def read(self, length: int) -> bytes:
        return await self.reader.readexactly(length)

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Return everything up to the end of the connection; a reset is an end too."""
        received = b""
        with suppress(ConnectionError):
            while data := await self.reader.read(READ_SIZE):
                received += data
        return received

    def stop_reading(self) -> None:
        self.reader._transport.pause_reading()

    def resume_reading(self) -> None:
        self.reader._transport.resume_reading()

    def end_sending(self) -> None:
        """Close this direction only: the client can still read."""
        self.writer.write_eof()

    def disconnect(self) -> None:
        """Close both directions at once, without close_notify over TLS."""
        self.writer.transport.abort()

    async def start_tls(self, context: ssl.SSLContext, name: str = "127.0.0.1") -> None:
        await self.writer.start_tls(context, server_hostname=name)


# ---- the front end


class FrontEndUnderTest:
    """A listening front end with its service, and the clients that are connected to it.

    Attributes:
        clock: The clock of the service. Only the test advances it.
        lease_socket: Where its lease server is, if it shares its store with other processes.
    """

    lease_socket: Path | None = None

    def __init__(self, tables: dict[str, Any]) -> None:
        given: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "store": {"kind": "memory", "max_size": 2**26},
            "origin": {"proxy": "none", "ca_files": [str(origin_ca().file)]},
            "tls": {"directory": str(interception_ca().parent)},
        }
        for name, table in tables.items():
            given[name] = {**given.get(name, {}), **table} if isinstance(table, dict) else table
        if any(site.get("tls") for site in given.get("site", ())):
            given["listen_tls"] = f"127.0.0.1:{free_port()}"
        self.settings = Settings.model_validate(given)
        self._clients: list[Client] = []

    async def __aenter__(self) -> Self:
        self.clock = ManualClock()
        self.service = service = Service(self.settings, self.clock, lease_socket=self.lease_socket)
        await service.start()
        log = access_log(self.settings)
        leave_alone = tuple(glob(host) for host in self.settings.tls.leave_alone)
        limits = ConnectionLimits(self.settings.limits.connections_per_client, max_descriptors())
        self.fast_path = FastPath(service.active, service.counters, service.clock, self.settings.memory.hot_size, log)
        self.connections = Connections(limits, service.clock, log, each_second=self.fast_path.report_uses)
        watch(self.connections, self.fast_path, service)
        self.tls = tls_of(self.settings, Certificates(), self.clock)
        sites = Sites(self.settings.sites, service.policy.site_rules, tls_port=self.tls.port if self.tls else 0)
        sites.purge_clients = purge_clients_of(self.settings, service) if self.settings.purge.log else None
        frontend = Frontend(service, self.connections, leaf_contexts(), leave_alone, sites, tls=self.tls)
        frontend.use_proxies(self.settings)
        handler = Handler(frontend, self.fast_path, partial(Http2Connection, Http2Handler(frontend, self.fast_path)))
        self.listener = Listener(handler, targets_of(self.settings, sites, frontend.page))
        sockets = sockets_for(self.settings)
        await self.listener.start(sockets)
        close_all(sockets)
        self.address = self.listener.address
        service.listens_at(*self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            client.disconnect()
        await self.listener.close()
        # the handler's tasks, and then those that close the content of a response whose client has disconnected
        for names in (("answer", "answer_fetch"), ("aclose",)):
            tasks = [task for task in asyncio.all_tasks() if task.get_coro().__name__ in names]
            await asyncio.wait(tasks, timeout=TIMEOUT) if tasks else None
        await self.service.close()

    async def secure_client(self, context: ssl.SSLContext, name: str | None) -> Client:
        """Return a client of the listener for TLS, after the handshake for the server `name`."""
        assert self.settings.tls_address
        host, port = self.settings.tls_address
        # without a name, none is sent, and the certificate has to be for the address
        client = Client(*await asyncio.open_connection(host, port, ssl=context, server_hostname=name or host))
        self._clients.append(client)
        return client

    async def client(self, *, receive_buffer: int = 0, read_limit: int = READ_SIZE) -> Client:
        """Return a new connection.

        Args:
            receive_buffer: Bytes that the client's socket holds; the system's default if it is 0.
            read_limit: Bytes that the client's reader holds, before it stops reading from the socket.
        """
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, self.address)
        client = Client(*await asyncio.open_connection(sock=connection, limit=read_limit))
        self._clients.append(client)
        return client

    async def client_that_does_not_read(self) -> Client:
        """Return a new connection that soon takes no more bytes."""
        client = await self.client(receive_buffer=4096, read_limit=1024)
        client.stop_reading()
        return client

    async def tunnel(self, authority: str, context: ssl.SSLContext | None = None, name: str = "127.0.0.1") -> Client:
        """Return a client inside a CONNECT tunnel; with a context, after the TLS handshake for the server `name`."""
        client = await self.client()
        client.send(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (authority.encode(), authority.encode()))
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        if context:
            await client.start_tls(context, name)
        return client

    def advance_deadlines(self, seconds: float) -> None:
        """Treat the deadlines of all connections as if so many seconds had passed."""
        for connection in list(self.connections):
            connection.deadline -= seconds
            if connection.deadline < self.connections.now:
                connection.expire()

    def entries(self) -> tuple[StoredResponse, ...]:
        return tuple(self.service.store.entries())


def unread(connection: object) -> int:
    """Return how many bytes of responses a client connection holds, since the client does not read them."""
    return int(connection.transport.get_write_buffer_size())


def is_blocked(connection: object) -> bool:
    """Return whether the client of an HTTP/1 connection does not read what is written to it."""
    return getattr(connection, "_state", None) in NOT_READ


# ---- conversations

type Conversation[F: FrontEndUnderTest] = Callable[[F, RawOrigin], Awaitable[None]]


def run_conversation[F: FrontEndUnderTest](
    conversation: Conversation[F],
    *scripts: Script,
    secure: ssl.SSLContext | None = None,
    front_end: type[F] = FrontEndUnderTest,
    **tables: dict[str, Any] | str,
) -> None:
    """Run a conversation through a front end, with an origin that follows scripts.

    Args:
        conversation: Gets the front end and the origin.
        scripts: One for each connection to the origin; the last one also for all further connections.
        secure: The TLS context of the origin; without it, the origin speaks http.
        front_end: The class of the front end.
        tables: Settings, by section.
    """

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with RawOrigin(*scripts, tls=secure) as origin, front_end(tables) as started:
            async with asyncio.timeout(TIMEOUT):
                await conversation(started, origin)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    gc.collect()  # so that an unclosed resource is reported in the test that left it open


def run_at_edge(conversation: Conversation[FrontEndUnderTest], *scripts: Script, **tables: Any) -> None:
    """Run a conversation through an edge in front of an origin that follows scripts; `tables` are settings."""

    async def inside(_: FrontEndUnderTest, origin: RawOrigin) -> None:
        async with FrontEndUnderTest({"edge": f"http://127.0.0.1:{origin.port}", **tables}) as edge:
            await conversation(edge, origin)

    run_conversation(inside, *scripts)


# ---- origins

FRESH = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
"""A response that is stored and is fresh for a minute."""

LARGE_BODY = b"".join(bytes([number]) * 2**16 for number in range(128))
"""More than any socket holds, and different in each 64 KiB."""


async def large(peer: Peer) -> None:
    """Answer every request with LARGE_BODY."""
    while True:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE_BODY))
        for start in range(0, len(LARGE_BODY), 2**16):
            await peer.send(LARGE_BODY[start : start + 2**16])


async def echo_path(peer: Peer) -> None:
    """Answer every request with its path; a response to a path that begins with /fresh may be stored."""
    while True:
        path = (await peer.request()).split(b" ")[1]
        fresh = b"Cache-Control: max-age=60\r\n" if path.startswith(b"/fresh") else b""
        await peer.send(HEAD + fresh + b"Content-Length: %d\r\n\r\n%b" % (len(path), path))


async def silent(peer: Peer) -> None:
    """Read a request, and never answer it."""
    await peer.request()
    await peer.client_closed()


def reads_content(end: bytes, response: bytes = OK) -> Script:
    """Return a script that reads a request and its content up to `end`, and answers it."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request(end)
        await peer.send(response)
        await peer.client_closed()

    return script


async def reads_until_cut(peer: Peer) -> None:
    """Read a request and its content until the connection is closed, then add `cut` to the origin's requests."""
    await peer.request()
    assert await peer.closed_after_data()
    peer._requests.append(b"cut")


# ---- requests


def authority_of(origin: RawOrigin) -> str:
    return f"127.0.0.1:{origin.port}"


def get(origin: RawOrigin, path: str = "/", *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request for an origin, as clients send it to a proxy; `lines` are further field lines."""
    authority = authority_of(origin)
    return request_head(f"{method} http://{authority}{path} HTTP/1.1", f"Host: {authority}", *lines) + body


def get_in_tunnel(origin: RawOrigin, path: str = "/", *lines: str) -> bytes:
    """Return a request for an origin, as clients send it inside a tunnel."""
    return request_head(f"GET {path} HTTP/1.1", f"Host: {authority_of(origin)}", *lines)


def request_head(*lines: str) -> bytes:
    return "".join([f"{line}\r\n" for line in (*lines, "")]).encode("latin-1")
