"""A WebSocket through the proxy."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Request, TextMessage

from tests.fixtures.pages import CHUNK_SIZE, ReportPage, page, websocket_echo
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.chromium import chromium
from tests.programs.installed_programs import curl, program, run

PAGE, NODE_SCRIPT = (Path(__file__).with_name(name) for name in ("web_socket.html", "web_socket.mjs"))


class WebSocket:
    """A client that uses a CONNECT tunnel with and without TLS, as browsers do."""

    def __init__(self, port: int, url: str, trusted: Path) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._socket.sendall(f"CONNECT {parts.netloc} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        established = b""
        while not established.endswith(b"\r\n\r\n"):
            established += self._socket.recv(1)
        assert established.startswith(b"HTTP/1.1 200 ")
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=trusted)
            self._socket = context.wrap_socket(self._socket, server_hostname=parts.hostname)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self.send(Request(host=parts.netloc, target=parts.path))
        assert isinstance(self.next(), AcceptConnection)

    def send(self, event: Event) -> None:
        self._socket.sendall(self._protocol.send(event))

    def next(self) -> Event:
        while (event := next(self._protocol.events(), None)) is None:
            self._protocol.receive_data(self._socket.recv(CHUNK_SIZE) or None)
        return event

    def close(self) -> None:
        self._socket.close()


def test_messages_reach_the_origin_and_come_back(proxy: Proxy, either_origin: Origin) -> None:
    websocket = WebSocket(proxy.port, either_origin.offer("/echo", websocket_echo), proxy.certificate)
    try:
        websocket.send(TextMessage("hello"))
        assert websocket.next() == TextMessage("hello")
        websocket.send(BytesMessage(b"\x00\xff"))
        assert websocket.next() == BytesMessage(b"\x00\xff")
        websocket.send(CloseConnection(code=1000))
        assert isinstance(websocket.next(), CloseConnection)
    finally:
        websocket.close()


def test_a_page_in_chromium_opens_a_web_socket(proxy: Proxy, either_origin: Origin, tmp_path: Path) -> None:
    """The page of an https origin comes over HTTP/2, and its WebSocket by extended CONNECT (RFC 8441)."""
    reports = ReportPage()
    either_origin.offer("/site/report", reports)
    either_origin.offer("/site/echo", websocket_echo)
    url = either_origin.offer("/site/web_socket.html", page(PAGE.read_bytes(), "text/html"))

    with chromium(proxy, url, tmp_path):
        assert reports.next() == {"received": ["hello", "long"], "code": 1000, "clean": True}


def test_node_opens_a_web_socket_over_http2(proxy: Proxy, secure_origin: Origin) -> None:
    url = secure_origin.offer("/echo", websocket_echo)
    printed = run(
        proxy.folder,
        *(program("node"), str(NODE_SCRIPT), "127.0.0.1", str(proxy.port), url),
        NODE_EXTRA_CA_CERTS=str(proxy.certificate),
    )
    assert json.loads(printed) == {"enabled": True, "status": 200, "echoed": "hello"}


def test_curl_reads_the_answer_of_an_origin_that_has_no_web_socket(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/no-socket", page(b"no socket"))
    fields = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    offer = [option for field in fields for option in ("-H", field)]
    answers = [curl(proxy, url, "--http1.1", *offer) for _ in range(2)]
    assert [(answer.status, answer.content) for answer in answers] == [(200, b"no socket")] * 2
