"""WebSockets, TCP and HTTP/2 pass through mitmproxy with the cache as without it, and scripts see them."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from tests.fixtures.pages import websocket_echo
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.echo_origin import EchoOrigin
from tests.programs.installed_programs import program, run
from tests.programs.mitmproxy_cases import settings
from tests.programs.mitmproxy_runs import Mitmdump, mitmdump_ca
from tests.programs.test_websocket import WebSocket

TWICE: tuple[tuple[str, tuple[str, ...]], ...] = (("/text", ()), ("/text", ()), ("/form", ("--data", "a=1")))
"""Targets, and options of curl."""

MESSAGES = ("-s", str(Path(__file__).with_name("mitmproxy_scripts") / "messages.py"))


@pytest.mark.parametrize("cached", [False, True])
def test_a_script_edits_and_injects_messages(
    cached: bool, either_origin: Origin, ca: ThrowawayCA, tmp_path: Path
) -> None:
    with Mitmdump(tmp_path / "run", ca.file, MESSAGES, cached=cached) as mitmdump:
        websocket = WebSocket(mitmdump.port, either_origin.offer("/echo", websocket_echo), mitmdump_ca(mitmdump))
        websocket.send(TextMessage("hello"))
        got = [websocket.next(), websocket.next()]
        websocket.send(CloseConnection(code=1000))
        websocket.next()
        websocket.close()

    assert TextMessage("HELLO") in got
    assert BytesMessage(b"injected") in got or TextMessage("injected") in got
    assert "Traceback" not in mitmdump.log


@pytest.mark.parametrize("cached", [False, True])
def test_a_script_edits_bytes_of_other_protocols(cached: bool, ca: ThrowawayCA, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Mitmdump(tmp_path / "run", ca.file, MESSAGES, cached=cached) as mitmdump,
    ):
        port = server.getsockname()[1]
        thread = threading.Thread(target=_greet, args=(server,))
        thread.start()
        with socket.create_connection(("127.0.0.1", mitmdump.port), 60) as client:
            client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"\x00hello")
            answer = client.recv(1000)
        thread.join()

    assert answer == b"\x00HELLO TO YOU"


def _greet(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(connection.recv(1000) + b" to you")


@pytest.mark.parametrize("cached", [False, True])
def test_http2_clients_get_the_same(cached: bool, ca: ThrowawayCA, tmp_path: Path) -> None:
    with (
        EchoOrigin(ca.server_context("localhost")) as echo,
        # an eager mitmproxy offers a client only what the origin speaks
        Mitmdump(tmp_path / "run", ca.file, settings("connection_strategy=lazy"), cached=cached) as mitmdump,
    ):
        printed = [_curl(tmp_path, mitmdump, echo.url + target, *more) for target, more in TWICE]
        mitmdump.stop()

    assert [content for content, _ in printed] == ["hello, this is text"] * 2 + ["received a=1"]
    assert [status for _, status in printed] == (["2 200", "2 203", "2 200"] if cached else ["2 200"] * 3)
    assert len(echo.requests) == (2 if cached else 3)


def _curl(home: Path, mitmdump: Mitmdump, url: str, *more: str) -> tuple[str, str]:
    """Return the content that curl gets over HTTP/2, and the version and status of the response."""
    printed = run(
        home,
        *(program("curl"), "-q", "--silent", "--http2", "--proxy", f"http://127.0.0.1:{mitmdump.port}"),
        *("--cacert", str(mitmdump_ca(mitmdump)), "--write-out", "\n%{http_version} %{http_code}", *more, url),
    )
    content, _, status = printed.rpartition("\n")
    return content, status
