"""Connections that the front end gives to mitmproxy, with a real mitmproxy: h2, WebSocket, clear text in tunnels."""

from __future__ import annotations

import asyncio

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, Event, Request, TextMessage

from addon.frontend.connections import Connections
from addon.frontend.mitm.handover import MAX_WAITING
from addon.server import Proxy
from cache.http.messages import Fields
from tests.addon.frontend.front_end import (
    READ_SIZE,
    Client,
    FrontEndUnderTest,
    authority_of,
    client_tls,
    echo_path,
    get,
    get_in_tunnel,
    leaf_contexts,
    origin_tls,
    request_head,
    run_conversation,
    until,
)
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.lanes.http2_client import Http2Client
from tests.lanes.messages import ClientRequest


class ProxyUnderTest(FrontEndUnderTest):
    """A front end that gives connections to a running mitmproxy."""

    async def __aenter__(self) -> ProxyUnderTest:
        leaf_contexts()
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
            client.disconnect()
        self.proxy.should_exit.set()
        await self._running
        await super().__aexit__(*exception)

    def open_connections(self) -> Connections:
        """Return the connections that the proxy's own front end watches."""
        assert self.proxy.listener
        return self.proxy.listener.handler.frontend.connections


async def echo(peer: Peer) -> None:
    """A WebSocket server that sends back every message."""
    protocol = WSConnection(ConnectionType.SERVER)
    while data := await peer._reader.read(READ_SIZE):
        protocol.receive_data(data)
        for event in protocol.events():
            if isinstance(event, Request):
                await peer.send(protocol.send(AcceptConnection()))
            elif isinstance(event, TextMessage | BytesMessage):
                await peer.send(protocol.send(type(event)(event.data)))


def test_an_h2_client_shares_stored_responses_with_other_clients() -> None:
    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(proxy.address, authority_of(origin), client_tls("h2"))
        for status in (200, 203):
            await client.send(ClientRequest("GET", "/fresh", Fields()))
            response = await client.receive()
            assert (response.status, response.body) == (status, b"/fresh")
        await client.close()
        other = await proxy.tunnel(authority_of(origin), client_tls())
        assert (await other.fetch(get_in_tunnel(origin, "/fresh"))).status == 203

    run_conversation(conversation, echo_path, secure=origin_tls(), front_end=ProxyUnderTest)


def test_clear_text_http_in_a_tunnel_is_cached() -> None:
    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        client = await proxy.tunnel(authority_of(origin))
        request = get_in_tunnel(origin, "/fresh")
        assert [(await client.fetch(request)).status for _ in range(2)] == [200, 203]
        outside = await proxy.client()
        assert (await outside.fetch(get(origin, "/fresh"))).status == 203

    run_conversation(conversation, echo_path, front_end=ProxyUnderTest)


async def exchange_messages(client: Client, host: str, target: str) -> None:
    """Open a WebSocket; send a short and a long message, and check that they come back."""
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
    large = b"\x00\xff" * MAX_WAITING * 2
    send(BytesMessage(large))
    received = b""
    while len(received) < len(large):
        event = await receive()
        assert isinstance(event, BytesMessage)
        received += event.data
    assert received == large


def test_a_web_socket_over_http() -> None:
    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        authority = authority_of(origin)
        await exchange_messages(await proxy.client(), authority, f"http://{authority}/chat")

    run_conversation(conversation, echo, front_end=ProxyUnderTest)


def test_a_web_socket_inside_tls() -> None:
    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        client = await proxy.tunnel(authority_of(origin), client_tls())
        await exchange_messages(client, authority_of(origin), "/chat")

    run_conversation(conversation, echo, secure=origin_tls(), front_end=ProxyUnderTest)


@pytest.mark.parametrize("requested", ["websocket", "h2c"])
def test_a_101_for_another_protocol_than_the_requested_one_opens_no_tunnel(requested: str) -> None:
    """See docs/decisions.md, "A protocol switch that was not requested opens no tunnel"."""

    async def switches(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nevil")
        peer._requests.append(await peer._reader.read(100))

    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        authority = authority_of(origin)
        client = await proxy.client()
        lines = f"Host: {authority}", "Connection: Upgrade", f"Upgrade: {requested}", "Sec-WebSocket-Version: 13"
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
        client.send(request_head(f"GET http://{authority}/ HTTP/1.1", *lines, key))
        client.send(b"smuggled")
        client.end_sending()
        assert b"evil" not in await client.rest()
        assert not any(b"smuggled" in each for each in origin.requests)

    run_conversation(conversation, switches, front_end=ProxyUnderTest)


async def handed_over_client(proxy: ProxyUnderTest, origin: RawOrigin) -> Client:
    """Return a client whose connection mitmproxy has."""
    client = await proxy.tunnel(authority_of(origin))
    assert (await client.fetch(get_in_tunnel(origin, "/a"))).body == b"/a"
    return client


def test_the_front_end_no_longer_watches_a_connection_that_mitmproxy_has() -> None:
    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        await handed_over_client(proxy, origin)
        assert not proxy.open_connections()

    run_conversation(conversation, echo_path, front_end=ProxyUnderTest)


@pytest.mark.usefixtures("from_elsewhere")
def test_a_connection_that_mitmproxy_has_counts_until_it_ends() -> None:
    async def conversation(proxy: ProxyUnderTest, origin: RawOrigin) -> None:
        client = await handed_over_client(proxy, origin)
        limits = proxy.open_connections().limits
        assert limits._connections == {"192.0.2.1": 1}
        client.disconnect()
        await until(lambda: not limits._connections)

    run_conversation(conversation, echo_path, front_end=ProxyUnderTest)
