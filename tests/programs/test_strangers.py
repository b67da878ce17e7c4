"""What cannot be had through the proxy: itself, what its operator commands, and for strangers its own machine."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import Authority
from tests.fixtures.web_origin import Origin


@pytest.fixture
def proxy(tmp_path: Path, authority: Authority) -> Iterator[Proxy]:
    with Proxy(tmp_path, authority.file) as running:
        yield running


def said(port: int, head: str) -> str:
    """Return what is answered to a head, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")


@pytest.mark.row("SEC-16", "META-02")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "0.0.0.0"])
def test_the_proxy_is_not_to_be_had_through_itself(host: str, proxy: Proxy) -> None:
    for path in ("/", "/stats", "/purge", "/metrics", "/control"):
        answer = said(proxy.port, f"GET http://{host}:{proxy.port}{path} HTTP/1.1\r\nHost: {host}")
        assert answer.startswith("HTTP/1.1 502 ")
        assert "error=proxy_loop_detected" in answer
    # a target without a host is for no origin, whatever Host says
    assert said(proxy.port, f"GET / HTTP/1.1\r\nHost: {host}:{proxy.port}").startswith("HTTP/1.1 400 ")
    assert "error=proxy_loop_detected" in said(proxy.port, f"CONNECT {host}:{proxy.port} HTTP/1.1\r\nHost: {host}")
    assert proxy.counters().get("origin.fetches", 0) == 0


@pytest.mark.row("SEC-16")
def test_only_its_owner_commands_a_proxy(proxy: Proxy) -> None:
    (control,) = (proxy.folder / "store").glob("control-*.sock")
    assert stat.S_IMODE(control.stat().st_mode) == 0o600
    assert stat.S_IMODE((proxy.folder / "store").stat().st_mode) == 0o700
    # spoken to as on the socket, the listener knows nothing of it
    assert said(proxy.port, '{"command": "stats", "arguments": {}}').startswith("HTTP/1.1 400 ")


@pytest.mark.row("SEC-15")
def test_strangers_get_no_tunnel_to_this_machine_or_to_odd_ports(
    tmp_path: Path, origin: Origin, authority: Authority
) -> None:
    names = {"LISTEN": "0.0.0.0:0", "ORIGIN__REFUSED_TARGETS": '["127.0.0.0/8"]'}
    with Proxy(tmp_path, authority.file, settings=names) as proxy:
        for target in ("127.0.0.1:443", "[::ffff:127.0.0.1]:443"):
            answer = said(proxy.port, f"CONNECT {target} HTTP/1.1\r\nHost: {target}")
            assert answer.startswith("HTTP/1.1 502 ")
            assert "error=destination_ip_prohibited" in answer
        answer = said(proxy.port, "CONNECT a.example:25 HTTP/1.1\r\nHost: a.example:25")
        assert answer.startswith("HTTP/1.1 403 ")
        assert "reason: connect-port" in answer
        # a name is looked up before it is believed, and so is a number that only looks like one
        for host in ("localhost", "127.1", "0x7f000001"):
            port = urlsplit(origin.offer("/", lambda exchange: exchange.reply(200, b"secret", {}))).port
            answer = said(proxy.port, f"GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}")
            assert answer.startswith("HTTP/1.1 502 ")
            assert "error=destination_ip_prohibited" in answer
