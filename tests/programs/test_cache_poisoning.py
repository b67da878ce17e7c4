"""Cache poisoning through real servers: what one client sends does not change what the next one gets.

The servers show every field, and the URL as they understand it. See docs/decisions.md, "Fields that origins use and no
key contains bypass the cache" and "Two spellings of a URL are two stored responses".
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import pytest

from tests.fixtures.proxy_process import COMMANDS, Proxy
from tests.programs.installed_programs import program

HERE = Path(__file__).parent
UNDERSCORES = ("--header-map", "dangerous")
"""gunicorn would drop fields with an underscore in their names, which other servers do not."""

FIELDS = (
    "X-Forwarded-Host X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Server"
    " X-Forwarded-Ssl X-Forwarded-Protocol X-Forwarded-Uri X-Forwarded-Path X-Forwarded-For X-Forwarded-By X-Forwarded"
    " X-HTTP-Host-Override X-HTTP-Method X-HTTP-Method-Override X-Method-Override X-HTTP-DestinationURL"
    " X-HTTP-Path-Override X-Original-URI X-Original-URL X-Original-Host X-Originating-IP X-Rewrite-URL X-Url-Scheme"
    " X-Scheme Front-End-Https X-Proxy-URL Proxy-Url Proxy-Host Request-Uri X-Request-Uri Base-Url Http-Url Https"
    " X-Https X-Envoy-Original-Path X-Envoy-External-Address X-Real-IP X-Real-Host X-Client-IP Client-IP"
    " CF-Connecting-IP CF-Visitor True-Client-IP X-Cluster-Client-IP Fastly-Client-IP X-Script-Name Script-Name"
    " Path-Info X-Middleware-Prefetch X-Middleware-Subrequest X-Nextjs-Data X-Invoke-Path X-Invoke-Status X-Host"
    " X-Server-Name Destination X-Wap-Profile Proxy Remote-User X-Remote-User X-Accel-Mapping Forwarded"
).split()

VALUES = {"Forwarded": "host=evil.test;for=192.0.2.66", "X-HTTP-Method-Override": "DELETE"}
VALUES |= {name: "https" for name in FIELDS if name.endswith(("Proto", "Protocol", "Scheme"))}


@dataclass(frozen=True)
class Server:
    """A running server of another project."""

    url: str
    authority: str


@contextmanager
def running(*command: str | Path) -> Iterator[Server]:
    """Run a server that prints its URL."""
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout
        match = next(found for line in process.stdout if (found := re.search(r"http://(127\.0\.0\.1:\d+)", line)))
        yield Server(*match.group(0, 1))
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module", params=["gunicorn", "waitress", "wsgiref", "node"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    commands = {
        "gunicorn": lambda: (COMMANDS / "gunicorn", "--bind", "127.0.0.1:0", *UNDERSCORES, "reflecting_app:app"),
        "waitress": lambda: (COMMANDS / "waitress-serve", "--listen", "127.0.0.1:0", "reflecting_app:app"),
        "wsgiref": lambda: (sys.executable, "reflecting_app.py"),
        "node": lambda: (program("node"), "reflecting_server.mjs"),
    }
    with running(*commands[request.param]()) as server:
        yield server


@dataclass(frozen=True)
class Response:
    """A response that a client received."""

    status: int
    content: str


class Clients:
    """Clients of a forward proxy, or of an edge, on one connection."""

    def __init__(self, proxy: Proxy, authority: str, *, edge: bool) -> None:
        self._connection = HTTPConnection("127.0.0.1", proxy.port, timeout=60)
        self.authority = authority
        self.edge = edge

    def get(self, path: str, *fields: tuple[str, str], authority: str = "") -> Response:
        """Return the response to a GET; `authority` is another spelling of the server's."""
        host = authority or self.authority
        self._connection.putrequest("GET", path if self.edge else f"http://{host}{path}", skip_host=True)
        for name, value in (("Host", host), *fields):
            self._connection.putheader(name, value)
        self._connection.endheaders()
        response = self._connection.getresponse()
        return Response(response.status, response.read().decode())

    def disconnect(self) -> None:
        """Close the connection; the next request opens another one."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()


@pytest.fixture(scope="module", params=["forward proxy", "edge"])
def clients(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: Server
) -> Iterator[Clients]:
    edge = request.param == "edge"
    command = ("secondhand", "serve", *(["--edge", server.url] if edge else []))
    with (
        Proxy(tmp_path_factory.mktemp("proxy"), command=command, settings={"ORIGIN__PROXY": "none"}) as proxy,
        Clients(proxy, "edge.test" if edge else server.authority, edge=edge) as clients,
    ):
        yield clients


def clean_page(clients: Clients, path: str) -> str:
    """Return what a client gets from a path that no other client has asked for."""
    return clients.get("/untouched").content.replace("/untouched", path)


@pytest.mark.row("SEC-04")
def test_no_unkeyed_field_of_one_client_changes_the_page_of_another(clients: Clients) -> None:
    assert len(FIELDS) >= 60
    poisoned = []
    for name in (spelled for field in FIELDS for spelled in dict.fromkeys((field, field.replace("-", "_")))):
        path = f"/page-{name}"
        clients.get(path, (name, VALUES.get(name.replace("_", "-"), "evil.test")))
        page = clients.get(path)
        if page.content != clean_page(clients, path):
            poisoned.append((name, page.content))
        assert clients.get(path) == Response(203, page.content)  # the page is cached
    assert poisoned == []


@pytest.mark.row("KEY-02", "SEC-07")
def test_no_spelling_of_a_host_by_one_client_changes_the_page_of_another(clients: Clients) -> None:
    host, _, port = clients.authority.partition(":")
    port = port or "80"
    for number, authority in enumerate((f"{host.upper()}:{port}", f"{host}.:{port}", f"{host}.:{port:0>5}")):
        path = f"/host-{number}"
        assert clients.get(path, authority=authority) == Response(200, clean_page(clients, path))
        assert clients.get(path) == Response(203, clean_page(clients, path))


@pytest.mark.row("SEC-07")
def test_no_spelling_of_a_path_by_one_client_changes_the_page_of_another(clients: Clients) -> None:
    for spelled, path in (("/%70ath-1", "/path-1"), ("/a/%2e%2e/b", "/a/../b"), ("/%7E", "/~"), ("/a%2fb", "/a%2Fb")):
        clients.get(spelled)
        page = clients.get(path)
        assert page.status == 200
        assert clients.get(path) == Response(203, page.content)
        assert clients.get(spelled).status == 203


def test_a_request_for_a_web_socket_is_sent_in_the_same_way(clients: Clients) -> None:
    """Such requests are carried by mitmproxy."""
    host, _, port = clients.authority.partition(":")
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    unkeyed = [("X-Forwarded-Host", "evil.test"), ("User_Agent", "evil.test")] if clients.edge else []
    page = clients.get("/socket", *upgrade, *unkeyed, authority=f"{host.upper()}.:{port or 80}").content
    clients.disconnect()
    assert f"GET http://{clients.authority}/socket" in page
    assert "evil.test" not in page
