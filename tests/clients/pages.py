"""What the origin answers with."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Iterator

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Request

from tests.clients.origin import Exchange, Page

PATIENCE = 60.0
"""Seconds after which a side that waits for the other gives up: the test has failed."""

PIECE = 65_536


def page(content: bytes, media_type: str = "text/plain", cache_control: str = "max-age=3600") -> Page:
    """A page with a validator."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    fields = {"Content-Type": media_type, "ETag": tag, "Cache-Control": cache_control}

    def answer(exchange: Exchange) -> None:
        if exchange.headers["If-None-Match"] == tag:
            exchange.begin(304, fields)
        else:
            exchange.reply(200, content, fields)

    return answer


def receiving(exchange: Exchange) -> None:
    """Take an upload; say which method it came by, how many octets it had and their SHA-256."""
    digest, octets = hashlib.sha256(), 0
    for piece in _uploaded(exchange):
        digest.update(piece)
        octets += len(piece)
    received = {"method": exchange.command, "octets": octets, "sha256": digest.hexdigest()}
    exchange.reply(201, json.dumps(received).encode(), {"Content-Type": "application/json"})


def _uploaded(exchange: Exchange) -> Iterator[bytes]:
    if exchange.headers["Transfer-Encoding"] == "chunked":
        while size := int(exchange.rfile.readline(), 16):
            yield exchange.rfile.read(size)
            exchange.rfile.readline()
        exchange.rfile.readline()
    else:
        left = int(exchange.headers["Content-Length"])
        while left:
            yield (piece := exchange.rfile.read(min(left, PIECE)))
            left -= len(piece)


class Reports:
    """A page that a script in a browser posts to, and what it posted."""

    def __init__(self) -> None:
        self._posted: queue.Queue[dict[str, object]] = queue.Queue()

    def __call__(self, exchange: Exchange) -> None:
        self._posted.put(json.loads(b"".join(_uploaded(exchange))))
        exchange.reply(204, b"", {})

    def next(self) -> dict[str, object]:
        """Return the next report. Raises queue.Empty if none comes."""
        return self._posted.get(timeout=PATIENCE)


class Events:
    """An event stream whose second event waits until the test has read the first."""

    def __init__(self) -> None:
        self.first_was_read = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        exchange.begin(200, {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "Connection": "close"})
        exchange.wfile.write(b"data: first\n\n")
        if self.first_was_read.wait(PATIENCE):
            exchange.wfile.write(b"data: second\n\n")
        exchange.close_connection = True


def websocket_echo(exchange: Exchange) -> None:
    """Say back what a WebSocket client says, until it closes."""
    peer = WSConnection(ConnectionType.SERVER)
    fields = [(name.lower().encode(), value.encode()) for name, value in exchange.headers.items()]
    peer.initiate_upgrade_connection(fields, exchange.path)
    while True:
        for event in peer.events():
            match event:
                case Request():
                    exchange.wfile.write(peer.send(AcceptConnection()))
                case Message():
                    exchange.wfile.write(peer.send(event))
                case CloseConnection():
                    exchange.wfile.write(peer.send(event.response()))
                    exchange.close_connection = True
                    return
        peer.receive_data(exchange.connection.recv(PIECE) or None)
