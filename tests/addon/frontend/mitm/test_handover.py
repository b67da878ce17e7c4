"""What the door gives to mitmproxy, with the real one behind it: h2, WebSocket, and whatever is said in tunnels."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, Event, Request, TextMessage

from addon.frontend.mitm.handover import MAX_WAITING
from addon.runtime.event_loop import new_event_loop
from addon.server import Proxy
from cache.http.messages import Fields
from tests.addon.frontend.doorway import (
    TIMEOUT,
    Client,
    Doorway,
    by_path,
    leaves,
    origin_tls,
    request,
    trusting,
    until,
)
from tests.fixtures.raw_origin import Peer, RawOrigin, Script
from tests.lanes.http2_client import Http2Client
from tests.lanes.messages import ClientRequest


class House(Doorway):
    """A door whose other side is mitmproxy."""

    async def __aenter__(self) -> House:
        leaves()
        await super().__aenter__()
        await self.listener.close()
        self.proxy = Proxy(self.settings, self.service)
        self._running = asyncio.ensure_future(self.proxy.run())
        while self.proxy.address[1] == 0:
            await asyncio.sleep(0.001)
        self.address = self.proxy.address
        return self

    async def __aexit__(self, *exception: object) -> None:
        for client in self._clients:
            client.leave()
        self.proxy.should_exit.set()
        await self._running
        await super().__aexit__(*exception)


type Conversation = Callable[[House, RawOrigin], Awaitable[None]]


def converse(
    conversation: Conversation, *scripts: Script, secure: ssl.SSLContext | None = None, **tables: dict[str, object]
) -> None:
    async def main() -> None:
        async with RawOrigin(*scripts, tls=secure) as origin, House(tables) as house:
            async with asyncio.timeout(TIMEOUT):
                await conversation(house, origin)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())


async def echo(peer: Peer) -> None:
    """A WebSocket that says everything again."""
    protocol = WSConnection(ConnectionType.SERVER)
    while octets := await peer._reader.read(65_536):
        protocol.receive_data(octets)
        for event in protocol.events():
            if isinstance(event, Request):
                await peer.send(protocol.send(AcceptConnection()))
            elif isinstance(event, TextMessage | BytesMessage):
                await peer.send(protocol.send(type(event)(event.data)))


def test_a_client_that_speaks_h2_alone_shares_the_copies_of_all_others() -> None:
    async def conversation(house: House, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = Http2Client(house.address, authority, trusting("h2"))
        for status in (200, 203):
            await client.send(ClientRequest("GET", "/fresh", Fields()))
            heard = await client.receive()
            assert (heard.status, heard.body) == (status, b"/fresh")
        await client.close()
        other = await house.tunnel(authority, trusting())
        assert (await other.ask(request("GET /fresh HTTP/1.1", f"Host: {authority}"))).status == 203

    converse(conversation, by_path, secure=origin_tls())


def test_plain_http_in_a_tunnel_is_cached_like_any_other() -> None:
    async def conversation(house: House, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await house.tunnel(authority)
        asked = request("GET /fresh HTTP/1.1", f"Host: {authority}")
        assert [(await client.ask(asked)).status for _ in range(2)] == [200, 203]
        outside = await house.client()
        assert (
            await outside.ask(request(f"GET http://{authority}/fresh HTTP/1.1", f"Host: {authority}"))
        ).status == 203

    converse(conversation, by_path)


async def chat(client: Client, host: str, target: str) -> None:
    protocol = WSConnection(ConnectionType.CLIENT)

    def say(event: Event) -> None:
        client.send(protocol.send(event))

    async def receive_head() -> Event:
        while (event := next(protocol.events(), None)) is None:
            protocol.receive_data(await client.reader.read(65_536) or None)
        return event

    say(Request(host=host, target=target))
    assert isinstance(await receive_head(), AcceptConnection)
    say(TextMessage("hello"))
    assert await receive_head() == TextMessage("hello")
    large = b"\x00\xff" * MAX_WAITING * 2
    say(BytesMessage(large))
    received = b""
    while len(received) < len(large):
        event = await receive_head()
        assert isinstance(event, BytesMessage)
        received += event.data
    assert received == large


def test_a_web_socket_over_http() -> None:
    async def conversation(house: House, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        await chat(await house.client(), authority, f"http://{authority}/chat")

    converse(conversation, echo)


def test_a_web_socket_inside_tls() -> None:
    async def conversation(house: House, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await house.tunnel(authority, trusting())
        await chat(client, authority, "/chat")

    converse(conversation, echo, secure=origin_tls())


@pytest.mark.parametrize("asked", ["websocket", "h2c"])
def test_a_protocol_that_nobody_asked_for_opens_no_tunnel(asked: str) -> None:
    """Yardstick A12."""

    async def switches(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nevil")
        peer._requests.append(await peer._reader.read(100))

    async def conversation(house: House, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await house.client()
        lines = f"Host: {authority}", "Connection: Upgrade", f"Upgrade: {asked}", "Sec-WebSocket-Version: 13"
        client.send(request(f"GET http://{authority}/ HTTP/1.1", *lines, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="))
        client.send(b"smuggled")
        client.end()
        heard = await client.rest()
        assert b"evil" not in heard
        assert not any(b"smuggled" in each for each in origin.requests)

    converse(conversation, switches)


def test_what_is_given_away_is_no_longer_the_doors_to_end() -> None:
    async def conversation(house: House, origin: RawOrigin) -> None:
        client = await house.tunnel(f"127.0.0.1:{origin.port}")
        client.send(request("GET /a HTTP/1.1", f"Host: 127.0.0.1:{origin.port}"))
        assert (await client.answer()).body == b"/a"
        assert house.proxy.listener
        assert not house.proxy.listener.handler.frontend.connections

    converse(conversation, by_path)


def test_what_is_given_away_counts_as_its_clients_connection_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.frontend.connection_limits.client_at", lambda _: "192.0.2.1")

    async def conversation(house: House, origin: RawOrigin) -> None:
        client = await house.tunnel(f"127.0.0.1:{origin.port}")
        client.send(request("GET /a HTTP/1.1", f"Host: 127.0.0.1:{origin.port}"))
        assert (await client.answer()).body == b"/a"
        assert house.proxy.listener
        limits = house.proxy.listener.handler.frontend.connections.limits
        assert limits._connections == {"192.0.2.1": 1}
        client.leave()
        await until(lambda: not limits._connections)

    converse(conversation, by_path)
