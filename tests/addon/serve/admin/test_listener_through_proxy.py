"""Clients of the proxy cannot reach the admin API through it, however they name it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import AdminClient, admin_of
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import Proxy

SPELLINGS = (
    *("127.0.0.1", "localhost", "LocalHost.", "a.localhost", "127.0.0.2", "127.1", "2130706433", "0x7f000001"),
    *("0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]"),
    socket.gethostname(),
)

COMMANDS = (("serve",), ("serve", "--no-door"), ("serve", "--workers", "2"))


@pytest.fixture(scope="module", params=COMMANDS, ids=" ".join)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    with Proxy(folder, None, ("secondhand", *request.param), {"ORIGIN__PROXY": "none"}) as proxy:
        yield proxy


def response_to(port: int, head: str) -> str:
    """Send a request head. Return all bytes up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")


@pytest.mark.row("SEC-16")
def test_the_admin_api_cannot_be_reached_through_the_proxy(running: Proxy) -> None:
    admin = admin_of(running)
    for host in SPELLINGS:
        there = f"{host}:{admin.port}"
        fields = f"Host: {there}\r\nAuthorization: Bearer {admin.token}"
        for path in ("/status", "/healthz"):
            response = response_to(running.port, f"GET http://{there}{path} HTTP/1.1\r\n{fields}")
            assert response.startswith("HTTP/1.1 502 "), (host, response)
        assert through_tunnel(running.port, there, admin).partition("\r\n")[0] != "HTTP/1.1 200 OK", host
    assert admin.get("/status").status == 200


def through_tunnel(port: int, there: str, admin: AdminClient) -> str:
    """Ask the admin API inside a tunnel; return the response, or the one to CONNECT if there is no tunnel."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
        opened = connection.recv(65_536).decode("latin-1")
        if not opened.startswith("HTTP/1.1 200 "):
            return opened
        fields = f"Host: localhost\r\nAuthorization: Bearer {admin.token}\r\nConnection: close"
        connection.sendall(f"GET /status HTTP/1.1\r\n{fields}\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")


@pytest.mark.row("SEC-16")
def test_a_site_of_an_edge_cannot_have_the_admin_api_as_its_origin(tmp_path: Path) -> None:
    port = free_port()
    settings = {"EDGE": f"http://127.0.0.1:{port}", "ADMIN__LISTEN": f"127.0.0.1:{port}"}
    with Proxy(tmp_path, settings=settings) as edge:
        assert response_to(edge.port, "GET /healthz HTTP/1.1\r\nHost: a.example").startswith("HTTP/1.1 502 ")
        assert admin_of(edge).get("/healthz").status == 200
