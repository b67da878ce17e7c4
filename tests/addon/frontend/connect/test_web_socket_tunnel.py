"""A WebSocket after its handshake: a tunnel with back-pressure, limits, and a line in the access log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.frontend.connect.raw_tunnel import SILENCE, RawTunnel
from tests.addon.frontend.front_end import (
    LARGE_BODY,
    Client,
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.addon.frontend.web_sockets import OFFER, SWITCH, echo_bytes, switched, switching
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.fixtures.until import until

# ---- the tunnel


def test_what_a_client_sends_before_the_101_is_held_back_within_limits() -> None:
    release = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await release.wait()
        await peer.send(SWITCH)
        peer._requests.append(await peer._reader.readexactly(2**22))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/chat", *OFFER) + LARGE_BODY[: 2**22])
        await until(lambda: bool(origin.requests))
        (connection,) = front_end.connections
        await until(lambda: len(connection._buffer) > 65_536)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(connection._buffer) < 2**19
        release.set()
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        await until(lambda: len(origin.requests) > 1)
        assert origin.requests[1] == LARGE_BODY[: 2**22]

    run_conversation(conversation, slow)


def test_a_client_that_does_not_read_makes_the_origin_wait() -> None:
    async def floods(peer: Peer) -> None:
        for _ in range(64):
            await peer.send(b"a" * 2**18)
        await peer.closed_after_data()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/chat", *OFFER))
        await client.head()
        client.stop_reading()
        (tunnel,) = front_end.connections
        await until(lambda: tunnel._client.transport.get_write_buffer_size() > 2**16)
        for _ in range(100):
            await asyncio.sleep(0)
        assert tunnel._client.transport.get_write_buffer_size() <= 2**19
        client.resume_reading()
        assert len(await client.read(2**24)) == 2**24

    run_conversation(conversation, switching(floods))


def test_a_web_socket_without_traffic_ends_after_a_while_and_a_reload_changes_when() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await switched(front_end, origin)
        front_end.advance_deadlines(599)
        client.send(b"a")
        assert await client.read(1) == b"a"
        settings = front_end.settings
        limits = settings.limits.model_copy(update={"tunnel_timeout": 20.0})
        front_end.service.reload(settings.model_copy(update={"limits": limits}))
        client.send(b"a")
        assert await client.read(1) == b"a"
        front_end.advance_deadlines(21)
        assert await client.rest() == b""
        assert not front_end.connections

    run_conversation(conversation, echo_bytes)


@pytest.mark.parametrize("secure", [False, True], ids=["in clear text", "inside TLS"])
def test_the_end_of_one_side_ends_the_other(secure: bool) -> None:
    async def says_bye(peer: Peer) -> None:
        await peer.send(b"bye")
        await peer.close()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls() if secure else None)
        client.send(get_in_tunnel(origin, "/chat", *OFFER))
        await client.head()
        assert await client.rest() == b"bye"
        client.disconnect()
        await until(lambda: not front_end.connections)

    run_conversation(conversation, switching(says_bye), secure=origin_tls() if secure else None)


def test_the_origin_is_told_that_a_client_has_disconnected() -> None:
    async def until_closed(peer: Peer) -> None:
        assert await peer.closed_after_data()
        peer._requests.append(b"closed")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await switched(front_end, origin)
        client.disconnect()
        await until(lambda: origin.requests[-1] == b"closed")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, switching(until_closed))


def test_a_client_that_disconnects_during_the_handshake_ends_it() -> None:
    async def slow(peer: Peer) -> None:
        await peer.request()
        assert await peer.client_closed()
        peer._requests.append(b"closed")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for leave in (Client.disconnect, Client.end_sending):
            client = await front_end.client()
            client.send(get(origin, "/chat", *OFFER))
            await until(lambda: len(origin.requests) % 2 == 1)
            leave(client)
            await until(lambda: origin.requests[-1] == b"closed")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, slow)


def test_web_sockets_take_no_place_among_the_connections_to_their_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        clients = [await switched(front_end, origin) for _ in range(3)]
        for client in clients:
            client.send(b"a")
            assert await client.read(1) == b"a"

    run_conversation(conversation, echo_bytes, origin={"max_connections": 1})


@pytest.mark.usefixtures("from_elsewhere")
def test_a_web_socket_counts_as_a_connection_of_its_client_until_it_ends() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await switched(front_end, origin)
        limits = front_end.connections.limits
        assert limits._connections == {"192.0.2.1": 1}
        client.disconnect()
        await until(lambda: not limits._connections)

    run_conversation(conversation, echo_bytes)


def test_a_web_socket_is_logged_with_its_bytes_when_it_ends(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await switched(front_end, origin)
        client.send(b"hello")
        assert await client.read(5) == b"hello"
        client.disconnect()
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_bytes, log={"access": str(tmp_path / "access.log")})
    (line,) = (tmp_path / "access.log").read_text().splitlines()
    assert "/chat HTTP/1.1" in line
    assert line.endswith('" 101 5 bypass/upgrade')


# ---- the end of the proxy


def test_a_web_socket_may_go_on_until_it_is_silent_when_the_proxy_stops() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await switched(front_end, origin)
        draining = asyncio.ensure_future(front_end.listener.drain())
        await asyncio.sleep(0)
        client.send(b"a")
        assert await client.read(1) == b"a"
        (tunnel,) = front_end.connections
        assert tunnel.deadline == front_end.connections.now + SILENCE
        front_end.advance_deadlines(SILENCE + 0.1)
        assert await client.rest() == b""
        await draining

    run_conversation(conversation, echo_bytes)


def test_a_web_socket_that_begins_while_the_proxy_stops_ends_with_its_silence() -> None:
    release = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await release.wait()
        await peer.send(SWITCH)
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/chat", *OFFER))
        await until(lambda: bool(origin.requests))
        draining = asyncio.ensure_future(front_end.listener.drain())
        await asyncio.sleep(0)
        release.set()
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        (tunnel,) = front_end.connections
        assert isinstance(tunnel, RawTunnel)
        front_end.advance_deadlines(SILENCE + 0.1)
        assert await client.rest() == b""
        await draining

    run_conversation(conversation, slow)
