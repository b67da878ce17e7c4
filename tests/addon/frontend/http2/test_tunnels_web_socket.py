"""WebSocket over HTTP/2: extended CONNECT (RFC 8441)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.frontend.connect.raw_tunnel import SILENCE, RawTunnel
from addon.frontend.connections import STALL_TIMEOUT
from addon.frontend.http2.settings import ENABLE_CONNECT_PROTOCOL
from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.settings import INITIAL_WINDOW_SIZE
from tests.addon.frontend.front_end import LARGE_BODY, FrontEndUnderTest, echo_path, origin_tls, run_conversation
from tests.addon.frontend.http2.http2_client import (
    http2_client,
    http2_client_in_tunnel,
    pass_time,
)
from tests.addon.frontend.http2.tunnel_streams import (
    content_on,
    echo,
    head_on,
    key_in,
    offer,
    switching,
    waits,
)
from tests.fixtures.raw_origin import Peer, RawOrigin, answering
from tests.fixtures.until import until


@pytest.mark.parametrize("secure", [False, True], ids=["in clear text", "inside TLS"])
def test_a_web_socket_is_joined_to_a_handshake_of_http_1_1(secure: bool) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await (http2_client_in_tunnel if secure else http2_client)(front_end, origin)
        assert client.settings[ENABLE_CONNECT_PROTOCOL] == 1
        stream = offer(client)
        head = await head_on(client, stream)
        assert (head[":status"], head["sec-websocket-protocol"]) == ("200", "chat")
        assert not {"upgrade", "connection", "sec-websocket-accept"} & set(head)
        asked = origin.requests[0].decode().lower().split("\r\n")
        assert asked[0] == "get /chat http/1.1"
        assert {"connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"} < set(asked)
        assert "origin: http://b.example" in asked
        client.send_data(stream, b"hello")
        assert await content_on(client, stream, 5) == b"hello"
        client.send_data(stream, b"", end_stream=True)
        if secure:  # TLS cannot tell the origin, whose silence ends the tunnel
            await client.roundtrip()
            pass_time(front_end, SILENCE + 0.1)
        assert (await client.response(stream)).ended
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, switching(echo), echo_path, secure=origin_tls() if secure else None)


def test_each_web_socket_has_a_key_of_its_own() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for _ in range(3):
            await head_on(client, offer(client))
        assert len({key_in(head) for head in origin.requests}) == 3

    run_conversation(conversation, switching(echo))


def test_large_messages_pass_both_ways_within_the_windows() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {INITIAL_WINDOW_SIZE: 2**20})
        client.widen(0, 2**24)
        stream, sent, size = offer(client), 0, 2**20
        await head_on(client, stream)
        while sent < size:
            window = 262_144 + client.windows.get(stream, 0)
            part = LARGE_BODY[sent : min(sent + 16_384, window, size)]
            if part:
                client.send_data(stream, part)
                sent += len(part)
            else:
                await client.read_frame()
        assert await content_on(client, stream, size) == LARGE_BODY[:size]

    run_conversation(conversation, switching(echo))


def test_a_client_whose_window_is_used_up_makes_the_origin_wait() -> None:
    async def floods(peer: Peer) -> None:
        for start in range(0, 2**21, 2**16):
            await peer.send(LARGE_BODY[start : start + 2**16])
        await peer.closed_after_data()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {INITIAL_WINDOW_SIZE: 10})
        stream = offer(client)
        await head_on(client, stream)
        assert await content_on(client, stream, 10) == LARGE_BODY[:10]
        (tunnel,) = [each for each in front_end.connections if isinstance(each, RawTunnel)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert tunnel._client.transport.get_write_buffer_size() < 2**19
        pass_time(front_end, STALL_TIMEOUT + 1)  # a tunnel has a limit of its own
        client.widen(stream, 2**23)
        client.widen(0, 2**23)
        assert await content_on(client, stream, 2**21) == LARGE_BODY[: 2**21]

    run_conversation(conversation, switching(floods))


def test_an_origin_that_does_not_read_uses_up_the_window_of_the_client() -> None:
    async def does_not_read(peer: Peer) -> None:
        peer._reader._transport.pause_reading()
        await asyncio.sleep(60)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream, sent = offer(client), 0
        await head_on(client, stream)
        while True:
            room = 262_144 + client.windows.get(stream, 0) - sent
            if not room:
                await client.roundtrip()
                if sent == 262_144 + client.windows.get(stream, 0):
                    break
            client.send_data(stream, b"a" * min(room, 16_384))
            sent += min(room, 16_384)
        assert sent < 2**24

    run_conversation(conversation, switching(does_not_read))


def test_a_web_socket_whose_origin_does_not_read_makes_room_for_another() -> None:
    async def does_not_read(peer: Peer) -> None:
        peer._reader._transport.pause_reading()
        await asyncio.sleep(60)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        holder, other = offer(client), offer(client)
        for stream in (holder, other):
            await head_on(client, stream)
        sent = before = 0
        while (room := 70_000 + client.windows.get(holder, 0) - sent) or sent > before:
            before = sent
            for _ in range(room // 1000):
                client.send_data(holder, bytes(1000))
            sent += room // 1000 * 1000
            await client.roundtrip()
        for seconds in (2, 11):
            pass_time(front_end, seconds)
        assert (await client.response(holder)).reset == ErrorCode.CANCEL
        assert not client.streams[other].finished

    windows = {"stream_window": 70_000, "connection_window": 70_000}
    run_conversation(conversation, switching(does_not_read), http2=windows)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 502),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 502),
        (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno", 401),
        (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 502),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            502,
        ),
    ],
    ids=["200", "204", "401", "302", "101 without Accept", "101 for another key"],
)
def test_any_other_answer_never_looks_like_success(answer: bytes, status: int) -> None:
    """A 2xx would tell the client that the WebSocket is open (RFC 8441 §5)."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        response = await client.response(offer(client))
        assert response.status == status
        assert not front_end.entries()
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, answering(answer), echo_path)


def test_a_reset_by_the_client_ends_the_connection_to_the_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        client.reset(stream)
        await until(lambda: origin.requests[-1] == b"closed")
        stream = offer(client)
        await head_on(client, stream)
        client.client.disconnect()
        await until(lambda: origin.requests.count(b"closed") == 2)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, switching(waits))


def test_a_client_that_gives_up_during_the_handshake_ends_it() -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await waits(peer)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = offer(client)
        await until(lambda: bool(origin.requests))
        client.reset(stream)
        await until(lambda: origin.requests[-1] == b"closed")

    run_conversation(conversation, silent)


def test_a_reset_by_the_origin_resets_the_stream() -> None:
    async def resets(peer: Peer) -> None:
        await peer._reader.read(1)
        peer.reset()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        client.send_data(stream, b"a")
        assert (await client.response(stream)).reset is ErrorCode.CONNECT_ERROR
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, switching(resets), echo_path)


@pytest.mark.parametrize("secure", [False, True], ids=["in clear text", "inside TLS"])
def test_the_end_of_the_origin_ends_the_stream_and_the_client_may_end_it_too(secure: bool) -> None:
    async def says_bye(peer: Peer) -> None:
        await peer.send(b"bye")
        await peer.close()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await (http2_client_in_tunnel if secure else http2_client)(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        response = await client.response(stream)
        await client.roundtrip()
        assert (response.content, response.ended, response.reset) == (b"bye", True, None)  # a reset hides the rest
        client.send_data(stream, b"too late")
        client.send_data(stream, b"", end_stream=True)
        await until(lambda: len(front_end.connections) == 1)
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, switching(says_bye), echo_path, secure=origin_tls() if secure else None)


def test_a_client_may_end_its_direction_together_with_its_last_message() -> None:
    """Regression: Chromium does so, and TLS cannot tell the origin; its answer to the last message was lost."""

    async def answers_and_closes(peer: Peer) -> None:
        assert await peer._reader.readexactly(5) == b"close"
        await peer.send(b"closed")
        await peer.close()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client_in_tunnel(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        client.send_data(stream, b"close", end_stream=True)
        response = await client.response(stream)
        assert (response.content, response.ended, response.reset) == (b"closed", True, None)

    run_conversation(conversation, switching(answers_and_closes), secure=origin_tls())


def test_another_protocol_is_refused_and_the_connection_goes_on() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        response = await client.response(offer(client, protocol="connect-udp"))
        assert response.status == 501
        assert b"reason: tunnel-protocol\n" in response.content
        assert (await client.fetch("/a")).content == b"/a"
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


def test_a_silent_web_socket_ends_after_the_time_for_tunnels() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        pass_time(front_end, 19)
        assert not client.streams[stream].finished
        pass_time(front_end, 2)
        assert (await client.response(stream)).reset is ErrorCode.CONNECT_ERROR

    run_conversation(conversation, switching(waits), limits={"tunnel_timeout": 20})


def test_a_web_socket_may_go_on_until_it_is_silent_when_the_proxy_stops() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        draining = asyncio.ensure_future(front_end.listener.drain())
        await asyncio.sleep(0)
        client.send_data(stream, b"a")
        assert await content_on(client, stream, 1) == b"a"
        pass_time(front_end, SILENCE + 0.1)
        await client.until_closed()
        assert client.goaway
        await draining

    run_conversation(conversation, switching(echo))


def test_a_web_socket_has_a_line_in_the_access_log(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = offer(client)
        await head_on(client, stream)
        client.send_data(stream, b"hello", end_stream=True)
        await client.response(stream)
        await until(lambda: len(front_end.connections) == 1)
        await front_end.listener.close()

    run_conversation(conversation, switching(echo), log={"access": str(tmp_path / "access.log")})
    (line,) = (tmp_path / "access.log").read_text().splitlines()
    assert line.startswith("127.0.0.1 ")
    assert line.endswith('/chat HTTP/2.0" 101 5 bypass/upgrade')
