"""The deadlines of HTTP/2 connections and of their streams, and how connections end."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, MIN_BYTES, STALL_TIMEOUT
from addon.frontend.http2.connection import Http2Connection
from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    echo_path,
    large,
    run_conversation,
    silent,
    unread,
)
from tests.addon.frontend.http2.http2_client import LARGE_WINDOW, Http2Client, http2_client, pass_time
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, endless
from tests.fixtures.until import until

A_MOMENT = 2.0
"""Seconds after which a connection looks at the deadlines of its streams again."""


def only(front_end: FrontEndUnderTest) -> Http2Connection:
    (connection,) = front_end.connections
    assert isinstance(connection, Http2Connection)
    return connection


# ---- slow clients


def test_a_client_that_does_not_greet_is_closed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.client(), authority_of(origin), "http")
        client.client.send(frames.PREFACE)
        await client.read_frame()
        pass_time(front_end, HEAD_TIMEOUT + 1)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.PROTOCOL_ERROR

    run_conversation(conversation, endless)


def test_an_idle_connection_is_closed_in_order() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        assert (await client.fetch("/a")).content == b"/a"
        pass_time(front_end, IDLE_TIMEOUT - 1)
        assert (await client.fetch("/b")).content == b"/b"
        pass_time(front_end, IDLE_TIMEOUT - 1)
        await client.roundtrip()
        pass_time(front_end, IDLE_TIMEOUT + 1)
        await client.until_closed()
        assert client.goaway == (ErrorCode.NO_ERROR, "")

    run_conversation(conversation, echo_path)


@pytest.mark.parametrize("part", ["frame", "block"])
def test_a_request_that_does_not_arrive_in_time_ends_the_connection(part: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        await client.roundtrip()
        block = client.block(client.head())
        if part == "frame":
            client.client.send(frames.header_frames(1, block, end_stream=True)[:-1])
        else:
            client.send_frame(frames.HEADERS, frames.END_STREAM, 1, block)
        await until(lambda: only(front_end).deadline < front_end.connections.now + HEAD_TIMEOUT)
        for _ in range(12):
            pass_time(front_end, 1.0)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.PROTOCOL_ERROR

    run_conversation(conversation, endless)


def test_content_that_does_not_come_resets_its_stream_only() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stuck = client.ask("/stuck", method="POST", end_stream=False)
        await until(lambda: len(origin.requests) == 1)
        pass_time(front_end, STALL_TIMEOUT + 1)
        assert (await client.response(stuck)).reset == ErrorCode.CANCEL
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, silent, echo_path)


def test_content_that_keeps_coming_may_take_long() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", ("content-length", str(4 * MIN_BYTES)), method="POST", end_stream=False)
        for number in range(8):
            client.send_data(stream, b"x" * (MIN_BYTES // 2), end_stream=number == 7)
            await client.roundtrip()
            pass_time(front_end, STALL_TIMEOUT / 2)
        assert (await client.response(stream)).content == b"ok"

    async def reads_all(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"x" * 4 * MIN_BYTES)
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")
        await peer.client_closed()

    run_conversation(conversation, reads_all)


# ---- clients that do not read


@pytest.mark.parametrize("window", [0, 1])
def test_a_response_that_its_window_does_not_let_through_is_reset(window: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: window})
        stuck = client.ask("/stuck")
        while stuck not in client.streams:
            await client.read_frame()
        for _ in range(4):
            client.widen(stuck, 1)
            await client.roundtrip()
            pass_time(front_end, STALL_TIMEOUT / 2)
        received = await client.response(stuck)
        assert received.reset == ErrorCode.CANCEL
        assert len(received.content) <= 5
        assert client.goaway is None
        await until(lambda: not only(front_end).streams)

    run_conversation(conversation, large)


def test_responses_that_the_window_of_the_connection_does_not_let_through_are_reset() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: LARGE_WINDOW})
        streams = [client.ask(f"/{number}") for number in range(3)]
        while len(client.streams) < len(streams):
            await client.read_frame()
        await until(lambda: only(front_end).outbound.window.size == 0)
        pass_time(front_end, STALL_TIMEOUT + 1)  # in which a whole window was sent
        pass_time(front_end, STALL_TIMEOUT + 1)
        assert [(await client.response(stream)).reset for stream in streams] == [ErrorCode.CANCEL] * 3

    run_conversation(conversation, large)


def test_a_response_that_is_read_slowly_but_steadily_is_not_reset() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: 0})
        stream = client.ask()
        while stream not in client.streams:
            await client.read_frame()
        for _ in range(6):
            client.widen(stream, MIN_BYTES // 2)
            client.widen(0, MIN_BYTES // 2)
            await client.roundtrip()
            pass_time(front_end, STALL_TIMEOUT / 2)
        assert client.streams[stream].reset is None

    run_conversation(conversation, large)


def test_a_client_that_does_not_read_its_socket_is_cut_off_and_holds_little_memory() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.client_that_does_not_read(), authority_of(origin), "http")
        client.greet({settings.INITIAL_WINDOW_SIZE: LARGE_WINDOW})
        client.widen(0, LARGE_WINDOW)
        for number in range(4):
            client.ask(f"/{number}")
        await until(lambda: any(map(is_blocked, front_end.connections)))
        assert unread_by(only(front_end)) <= 2**19
        flood = frames.frame(frames.PING, 0, 0, b"12345678") * 500_000
        client.client.send(flood)
        for _ in range(100):
            await asyncio.sleep(0)
        assert client.client.unsent
        pass_time(front_end, STALL_TIMEOUT + 1)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, large)


def is_blocked(connection: object) -> bool:
    return isinstance(connection, Http2Connection) and connection.outbound.blocked


def unread_by(connection: Http2Connection) -> int:
    return unread(connection.outbound)


# ---- the end


def test_a_client_that_broke_a_rule_is_cut_off_after_it_could_read_why() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.send_frame(frames.DATA, 0, 0, b"x")
        await client.until_closed()
        assert client.goaway is not None
        assert len(front_end.connections) == 1
        pass_time(front_end, LINGER + A_MOMENT)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless)


def test_when_the_proxy_stops_responses_under_way_are_sent_whole_and_new_requests_are_not_answered() -> None:
    answered = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        await answered.wait()
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/slow")
        await until(lambda: len(origin.requests) == 1)
        closing = asyncio.ensure_future(front_end.listener.drain())
        while client.goaway is None:
            await client.read_frame()
        late = client.ask("/late")
        answered.set()
        assert (await client.response(stream)).content == b"ok"
        await client.until_closed()
        await closing
        assert client.goaway == (ErrorCode.NO_ERROR, "")
        assert late not in client.streams
        assert len(origin.requests) == 1

    run_conversation(conversation, waits)


def test_when_the_proxy_stops_an_idle_connection_is_closed_at_once() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        await client.roundtrip()
        await front_end.listener.drain()
        await client.until_closed()
        assert client.goaway == (ErrorCode.NO_ERROR, "")

    run_conversation(conversation, endless)


def test_a_client_that_says_goaway_still_gets_its_responses() -> None:
    """RFC 9113 §6.8: a client's GOAWAY ends the streams that the server opens, and there are none."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        before = client.ask("/before")
        client.send_frame(frames.GOAWAY, 0, 0, bytes(8))
        after = client.ask("/after")
        assert (await client.response(before)).content == b"/before"
        assert (await client.response(after)).content == b"/after"
        assert (await client.fetch("/later")).content == b"/later"
        pass_time(front_end, LINGER + 1)
        await client.until_closed()
        assert client.goaway == (ErrorCode.NO_ERROR, "")

    run_conversation(conversation, echo_path)


def test_a_client_that_closes_its_side_still_gets_its_responses() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a")
        client.client.end_sending()
        assert (await client.response(stream)).content == b"/a"
        await client.until_closed()
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_path)


def test_a_fetch_that_others_wait_for_goes_on_when_its_client_disconnects() -> None:
    answered = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        await answered.wait()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        first, second = await http2_client(front_end, origin), await http2_client(front_end, origin)
        first.ask("/a")
        await until(lambda: len(origin.requests) == 1)
        stream = second.ask("/a")
        await second.roundtrip()
        first.client.disconnect()
        answered.set()
        assert (await second.response(stream)).content == b"ok"
        assert len(origin.requests) == 1

    run_conversation(conversation, waits)
