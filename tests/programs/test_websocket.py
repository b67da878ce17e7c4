"""A WebSocket through the proxy."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Request, TextMessage

from tests.fixtures.pages import CHUNK_SIZE, websocket_echo
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.web_origin import Origin


class WebSocket:
    """A client that uses a CONNECT tunnel with and without TLS, as browsers do."""

    def __init__(self, proxy: Proxy, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection(("127.0.0.1", proxy.port), TIMEOUT)
        self._socket.sendall(f"CONNECT {parts.netloc} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        established = b""
        while not established.endswith(b"\r\n\r\n"):
            established += self._socket.recv(1)
        assert established.startswith(b"HTTP/1.1 200 ")
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=proxy.certificate)
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
    websocket = WebSocket(proxy, either_origin.offer("/echo", websocket_echo))
    try:
        websocket.send(TextMessage("hello"))
        assert websocket.next() == TextMessage("hello")
        websocket.send(BytesMessage(b"\x00\xff"))
        assert websocket.next() == BytesMessage(b"\x00\xff")
        websocket.send(CloseConnection(code=1000))
        assert isinstance(websocket.next(), CloseConnection)
    finally:
        websocket.close()
