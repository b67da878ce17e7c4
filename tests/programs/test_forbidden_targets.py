"""Targets that the proxy does not forward to: itself, its control socket, and its own machine for other machines."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin


@pytest.fixture
def proxy(tmp_path: Path, ca: ThrowawayCA) -> Iterator[Proxy]:
    with Proxy(tmp_path, ca.file) as proxy:
        yield proxy


def response_to(port: int, head: str) -> str:
    """Send a request head. Return all bytes up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")


@pytest.mark.row("SEC-16", "META-02")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "0.0.0.0"])
def test_requests_for_the_proxy_itself_are_refused_as_loops(host: str, proxy: Proxy) -> None:
    for path in ("/", "/stats", "/purge", "/metrics", "/control"):
        response = response_to(proxy.port, f"GET http://{host}:{proxy.port}{path} HTTP/1.1\r\nHost: {host}")
        assert response.startswith("HTTP/1.1 502 ")
        assert "error=proxy_loop_detected" in response
        # a target without a host is invalid for a proxy, even with a Host field; but it asks for the set-up page at /
        by_path = response_to(proxy.port, f"GET {path} HTTP/1.1\r\nHost: {host}:{proxy.port}")
        assert by_path.startswith(f"HTTP/1.1 {200 if path == '/' else 400} ")
    assert "error=proxy_loop_detected" in response_to(
        proxy.port, f"CONNECT {host}:{proxy.port} HTTP/1.1\r\nHost: {host}"
    )
    assert proxy.counters().get("origin.fetches", 0) == 0


@pytest.mark.row("SEC-16")
def test_only_the_owner_can_use_the_control_socket(proxy: Proxy) -> None:
    (control,) = (proxy.folder / "store").glob("control-*.sock")
    assert stat.S_IMODE(control.stat().st_mode) == 0o600
    assert stat.S_IMODE((proxy.folder / "store").stat().st_mode) == 0o700
    # the public listener does not accept commands of the control socket
    assert response_to(proxy.port, '{"command": "stats", "arguments": {}}').startswith("HTTP/1.1 400 ")


@pytest.mark.row("SEC-15")
def test_refused_targets_and_unusual_ports_get_no_tunnel(tmp_path: Path, origin: Origin, ca: ThrowawayCA) -> None:
    settings = {"LISTEN": "0.0.0.0:0", "ORIGIN__REFUSED_TARGETS": '["127.0.0.0/8"]'}
    with Proxy(tmp_path, ca.file, settings=settings) as proxy:
        for target in ("127.0.0.1:443", "[::ffff:127.0.0.1]:443"):
            response = response_to(proxy.port, f"CONNECT {target} HTTP/1.1\r\nHost: {target}")
            assert response.startswith("HTTP/1.1 502 ")
            assert "error=destination_ip_prohibited" in response
        response = response_to(proxy.port, "CONNECT a.example:25 HTTP/1.1\r\nHost: a.example:25")
        assert response.startswith("HTTP/1.1 403 ")
        assert "reason: connect-port" in response
        # the address behind a name counts; 127.1 and 0x7f000001 are spellings of 127.0.0.1
        for host in ("localhost", "127.1", "0x7f000001"):
            port = urlsplit(origin.offer("/", lambda exchange: exchange.reply(200, b"secret", {}))).port
            response = response_to(proxy.port, f"GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}")
            assert response.startswith("HTTP/1.1 502 ")
            assert "error=destination_ip_prohibited" in response
