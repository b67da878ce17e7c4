"""A WebSocket of a browser to a front."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, Request

from tests.edge.browser import HOST
from tests.edge.fronts import Front
from tests.fixtures.proxy_process import TIMEOUT


class WebSocket:
    """A WebSocket that is open.

    Attributes:
        subprotocol: What the server has chosen of what was offered.
    """

    def __init__(self, connection: socket.socket, target: str, *subprotocols: str) -> None:
        self._connection = connection
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self.send(Request(host=HOST, target=target, subprotocols=list(subprotocols)))
        accepted = self.next()
        assert isinstance(accepted, AcceptConnection), accepted
        self.subprotocol = accepted.subprotocol

    def send(self, event: Event) -> None:
        self._connection.sendall(self._protocol.send(event))

    def next(self) -> Event:
        """Wait for the next event."""
        while (event := next(self._protocol.events(), None)) is None:
            self._protocol.receive_data(self._connection.recv(65_536) or None)
        return event


@contextmanager
def web_socket(front: Front, target: str, *subprotocols: str) -> Iterator[WebSocket]:
    """Open a WebSocket through a front."""
    with socket.create_connection(("127.0.0.1", front.port), TIMEOUT) as connection:
        if front.scheme == "http":
            yield WebSocket(connection, target, *subprotocols)
            return
        context = ssl.create_default_context(cafile=front.certificates.ca)
        with context.wrap_socket(connection, server_hostname=HOST) as secure:
            yield WebSocket(secure, target, *subprotocols)
