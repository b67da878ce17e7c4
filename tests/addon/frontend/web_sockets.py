"""Servers and clients of WebSocket for conversations with the front end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Request, TextMessage

from addon.origin.web_socket import accept_for
from tests.addon.frontend.front_end import LARGE_BODY, READ_SIZE, Client, FrontEndUnderTest, get
from tests.fixtures.raw_origin import Peer, RawOrigin

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
OFFER = "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"
SWITCH = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {accept_for(KEY)}\r\nSec-WebSocket-Protocol: chat\r\nKeep-Alive: timeout=5\r\n\r\n"
).encode()


async def echo_messages(peer: Peer) -> None:
    """A WebSocket server that sends back every message."""
    protocol = WSConnection(ConnectionType.SERVER)
    while data := await peer._reader.read(READ_SIZE):
        protocol.receive_data(data)
        for event in protocol.events():
            if isinstance(event, Request):
                await peer.send(protocol.send(AcceptConnection()))
            elif isinstance(event, TextMessage | BytesMessage):
                await peer.send(protocol.send(type(event)(event.data)))
            elif isinstance(event, CloseConnection):
                await peer.send(protocol.send(event.response()))
                await peer.close()


async def echo_bytes(peer: Peer) -> None:
    """Switch, and send back every byte."""
    await peer.request()
    await peer.send(SWITCH)
    while data := await peer._reader.read(READ_SIZE):
        await peer.send(data)


def switching(then: Callable[[Peer], Awaitable[None]]) -> Callable[[Peer], Awaitable[None]]:
    """Return a script that switches, and then does something else."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(SWITCH)
        await then(peer)

    return script


async def exchange_messages(client: Client, host: str, target: str) -> None:
    """Open a WebSocket; send a short and a long message, check that they come back, and close it."""
    protocol = WSConnection(ConnectionType.CLIENT)

    def send(event: Event) -> None:
        client.send(protocol.send(event))

    async def receive() -> Event:
        while (event := next(protocol.events(), None)) is None:
            protocol.receive_data(await client.reader.read(READ_SIZE) or None)
        return event

    send(Request(host=host, target=target))
    assert isinstance(await receive(), AcceptConnection)
    send(TextMessage("hello"))
    assert await receive() == TextMessage("hello")
    send(BytesMessage(LARGE_BODY[: 2**20]))
    received = b""
    while len(received) < 2**20:
        event = await receive()
        assert isinstance(event, BytesMessage)
        received += event.data
    assert received == LARGE_BODY[: 2**20]
    send(CloseConnection(code=1000))
    assert isinstance(await receive(), CloseConnection)
    assert await client.rest() == b""
    client.disconnect()


async def switched(front_end: FrontEndUnderTest, origin: RawOrigin, path: str = "/chat") -> Client:
    """Return a client whose connection is a WebSocket."""
    client = await front_end.client()
    client.send(get(origin, path, *OFFER))
    assert (await client.head()).startswith(b"HTTP/1.1 101 ")
    return client
