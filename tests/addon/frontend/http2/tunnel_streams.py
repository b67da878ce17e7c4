"""Tunnels on HTTP/2 streams: what clients send to open one, and origins that agree to WebSocket."""

from __future__ import annotations

import re

from addon.origin.web_socket import accept_for
from tests.addon.frontend.front_end import (
    READ_SIZE,
)
from tests.addon.frontend.http2.http2_client import (
    Http2Client,
    Received,
)
from tests.fixtures.raw_origin import Peer, Script


def key_in(head: bytes) -> str:
    found = re.search(rb"(?i)\r\nsec-websocket-key: (\S+)\r\n", head)
    assert found
    return found[1].decode()


def switching(then: Script) -> Script:
    """Return a script that agrees to WebSocket, and then does something else."""

    async def script(peer: Peer) -> None:
        accept = accept_for(key_in(await peer.request()))
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        await peer.send(f"{head}Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n".encode())
        await then(peer)

    return script


async def echo(peer: Peer) -> None:
    while data := await peer._reader.read(READ_SIZE):
        await peer.send(data)


async def waits(peer: Peer) -> None:
    assert await peer.closed_after_data()
    peer._requests.append(b"closed")


def offer(client: Http2Client, path: str = "/chat", protocol: str = "websocket", *, end_stream: bool = False) -> int:
    """Send an extended CONNECT, and return its stream."""
    lines = client.head(path, ("sec-websocket-version", "13"), ("origin", "http://b.example"), method="CONNECT")
    return client.send_head([*lines[:1], (":protocol", protocol), *lines[1:]], end_stream=end_stream)


def connect(client: Http2Client, authority: str = "") -> int:
    return client.send_head([(":method", "CONNECT"), (":authority", authority or client.authority)], end_stream=False)


async def head_on(client: Http2Client, stream: int) -> dict[str, str]:
    """Read until a response has begun, and return its head."""
    while not client.streams.get(stream, Received()).heads:
        await client.read_frame()
    return client.streams[stream].heads[-1]


async def content_on(client: Http2Client, stream: int, size: int) -> bytes:
    while len(client.streams[stream].content) < size:
        await client.read_frame()
    return client.streams[stream].content
