"""Runs mitmdump with and without the cache over the same traffic, and notes what client, origin and flow file saw."""

from __future__ import annotations

import enum
import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from mitmproxy import http as mitmproxy_http
from mitmproxy.io import FlowReader

from addon.cli.mitm import MAIN
from tests.fixtures.environment import environment
from tests.fixtures.proxy_process import TIMEOUT
from tests.programs.echo_origin import EchoOrigin, SeenRequest
from tests.programs.mitmdump_process import start_mitmdump

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Ask:
    """A request of a client to an origin, in clear or over TLS."""

    target: str
    method: str = "GET"
    fields: Lines = ()
    content: bytes | None = None


class Way(enum.Enum):
    """The way in which a client speaks to mitmdump."""

    PROXY = "as to a proxy"
    ORIGIN = "as to an origin"
    SOCKS = "by SOCKS 5"


@dataclass(frozen=True)
class Got:
    """The response that the client received, or the error of its connection."""

    status: int
    fields: Lines = ()
    content: bytes = b""
    error: str = ""


@dataclass(frozen=True)
class SeenFlow:
    """A flow of the flow file."""

    method: str
    url: str
    request_fields: Lines
    request_content: bytes | None
    status: int
    response_fields: Lines
    content: bytes | None
    error: str
    comment: str
    marked: str
    metadata: dict[str, object] = field(hash=False)
    server: tuple[str, int] | None


@dataclass
class Seen:
    """The observations of one run: by the client, by the origin, and in the flow file."""

    client: list[Got]
    origin: list[SeenRequest]
    flows: list[SeenFlow]
    log: str


TRAFFIC = (
    Ask("/text"),
    Ask("/text"),
    Ask("/page"),
    Ask("/form", "POST", content=b"a=1"),
    Ask("/cookie"),
    Ask("/other", fields=(("If-None-Match", '"none"'), ("Authorization", "Basic eDp5"))),
    Ask("/other"),
    Ask("/chunked"),
    Ask("/coded", fields=(("Accept-Encoding", "gzip"),)),
    Ask("/text", "HEAD"),
    Ask("/large"),
    Ask("/large"),
    Ask("/missing"),
)
"""The requests of a client that nearly every option or script can change in some way."""


class Mitmdump:
    """A mitmdump process.

    Attributes:
        port: The port on which it listens.
    """

    def __init__(self, folder: Path, origin_ca: Path, arguments: Sequence[str], *, cached: bool) -> None:
        self.folder = folder
        self.origin_ca = origin_ca
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log"
        addon = ("-s", str(MAIN)) if cached else ()
        settings = (f"confdir={folder.parent / 'ca'}", f"ssl_verify_upstream_trusted_ca={origin_ca}")
        options = [argument for setting in settings for argument in ("--set", setting)]
        command = [*addon, "--listen-host", "127.0.0.1", "--listen-port", "0", *options]
        self._process = start_mitmdump(
            [*command, "-w", str(folder / "flows"), *arguments],
            environment(folder) | {"SECONDHAND_STORE__PATH": str(folder / "store")},
            self._log,
        )
        self.port = self._wait_for_port()

    def _wait_for_port(self) -> int:
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until and self._process.is_alive():
            if match := re.search(r"listening at \S*127\.0\.0\.1:(\d+)", self._log.read_text()):
                return int(match[1])
            time.sleep(0.02)
        raise AssertionError(f"mitmdump did not start:\n{self._log.read_text()}")

    @property
    def log(self) -> str:
        return self._log.read_text()

    def flows(self) -> list[SeenFlow]:
        """Return the flows in the flow file."""
        with (self.folder / "flows").open("rb") as file:
            loaded = list(FlowReader(file).stream())
        return [_seen(flow) for flow in loaded if isinstance(flow, mitmproxy_http.HTTPFlow)]

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._process.join(TIMEOUT)
        assert not self._process.is_alive(), self.log

    def stop(self) -> None:
        self._process.terminate()
        self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def play(
    mitmdump: Mitmdump,
    origin: EchoOrigin,
    traffic: Sequence[Ask],
    *,
    settled: Callable[[], bool] = lambda: True,
    way: Way = Way.PROXY,
) -> Seen:
    """Send requests through a mitmdump, wait until `settled`, stop it, and return what everyone saw."""
    origin.requests.clear()
    trusted = mitmdump_ca(mitmdump), mitmdump.origin_ca
    client = [exchange(mitmdump.port, origin.url, ask, *trusted, way=way) for ask in traffic]
    until = time.monotonic() + TIMEOUT
    while not settled() and time.monotonic() < until:
        time.sleep(0.02)
    mitmdump.stop()
    return Seen(client, list(origin.requests), mitmdump.flows(), mitmdump.log)


def mitmdump_ca(mitmdump: Mitmdump) -> Path:
    """Return the certificate file of a mitmdump's CA."""
    return mitmdump.folder.parent / "ca" / "mitmproxy-ca-cert.pem"


def exchange(port: int, url: str, ask: Ask, *trusted: Path, way: Way = Way.PROXY) -> Got:
    """Send one request through a proxy, or to one as an origin, and return what comes back."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    target = f"{url}{ask.target}" if way is Way.PROXY and not secure else ask.target
    try:
        connection = _connection(port, url, ask, trusted, way)
        to_proxy = "Proxy-Authorization" if secure else ""  # sent with CONNECT already
        fields = {"Host": parts.netloc, **{name: value for name, value in ask.fields if name != to_proxy}}
        connection.request(ask.method, target, ask.content, fields)
        response = connection.getresponse()
        return Got(response.status, tuple(response.getheaders()), response.read())
    except (OSError, http.client.HTTPException) as error:
        return Got(0, error=type(error).__name__)
    finally:
        connection.close()


def _connection(port: int, url: str, ask: Ask, trusted: Sequence[Path], way: Way) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "http":
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    else:
        context = ssl.create_default_context()
        for file in trusted:
            context.load_verify_locations(file)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        if way is Way.PROXY:
            credentials = {name: value for name, value in ask.fields if name == "Proxy-Authorization"}
            connection.set_tunnel(parts.hostname or "", parts.port, credentials)
    if way is Way.SOCKS:
        connection.sock = _socks_tunnel(port, parts.hostname or "", parts.port or 0)
        if isinstance(connection, http.client.HTTPSConnection):
            connection.sock = context.wrap_socket(connection.sock, server_hostname=parts.hostname)
    return connection


def _socks_tunnel(port: int, host: str, origin_port: int) -> socket.socket:
    """Return a connection through a SOCKS proxy (RFC 1928). Raises OSError."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.sendall(b"\x05\x01\x00")
    _expect(connection, b"\x05\x00")
    name = host.encode()
    connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + origin_port.to_bytes(2))
    _expect(connection, b"\x05\x00\x00\x01")
    connection.recv(6)
    return connection


def _expect(connection: socket.socket, expected: bytes) -> None:
    if (got := connection.recv(len(expected))) != expected:
        raise ConnectionError(f"expected {expected!r}, found {got!r}")


def _seen(flow: mitmproxy_http.HTTPFlow) -> SeenFlow:
    response = flow.response
    return SeenFlow(
        method=flow.request.method,
        url=flow.request.url,
        request_fields=tuple(flow.request.headers.items(multi=True)),
        request_content=flow.request.raw_content,
        status=response.status_code if response else 0,
        response_fields=tuple(response.headers.items(multi=True)) if response else (),
        content=response.raw_content if response else None,
        error=flow.error.msg if flow.error else "",
        comment=flow.comment,
        marked=flow.marked,
        metadata=flow.metadata,
        server=flow.server_conn.address,
    )
