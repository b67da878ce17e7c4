"""Connections that end because others accept clients in place of their listener: no request is lost."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from types import SimpleNamespace

from addon.frontend.connections import has_unread_input
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, get, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.fixtures.until import settle

NEVER = 1e9
"""Seconds."""


def hand_over(front_end: FrontEndUnderTest, *, grace: float, seconds: float = NEVER) -> asyncio.Future[None]:
    return asyncio.ensure_future(front_end.listener.hand_over(grace, seconds))


def test_an_idle_connection_gets_a_last_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/fresh"))
        handed_over = hand_over(front_end, grace=NEVER)
        await asyncio.sleep(0)
        response = await client.fetch(get(origin, "/fresh"))
        assert (response.body, response.fields.get("Connection")) == (b"/fresh", "close")
        assert await client.rest() == b""
        await handed_over

    run_conversation(conversation, echo_path)


def test_a_connection_that_stays_idle_is_closed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/fresh"))
        handed_over = hand_over(front_end, grace=0)
        assert await client.rest() == b""
        await handed_over

    run_conversation(conversation, echo_path)


def test_a_request_whose_head_arrives_slowly_is_answered() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, idle = await front_end.client(), await front_end.client()
        request = get(origin, "/fresh")
        client.send(request[:20])
        await settle()
        handed_over = hand_over(front_end, grace=0)
        assert await idle.rest() == b""
        response = await client.fetch(request[20:])
        assert response.body == b"/fresh"
        await handed_over

    run_conversation(conversation, echo_path)


def test_a_connection_of_http2_stays_as_long_as_requests_come() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, idle = await http2_client(front_end, origin), await front_end.client()
        await client.fetch("/fresh")
        handed_over = hand_over(front_end, grace=0)
        while len(front_end.connections) > 1:  # until the idle connection is closed
            assert (await client.fetch("/fresh")).content == b"/fresh"
            await asyncio.sleep(0.01)
        assert await idle.rest() == b""
        assert client.goaway is None
        while client.goaway is None:
            await client.read_frame()
        assert client.goaway == (ErrorCode.NO_ERROR, "")
        client.client.disconnect()
        await handed_over

    run_conversation(conversation, echo_path)


def test_a_connection_of_http2_ends_between_two_requests_when_time_is_over() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        await client.fetch("/fresh")
        handed_over = hand_over(front_end, grace=NEVER, seconds=0)
        while client.goaway is None:
            assert (await client.fetch("/fresh")).content == b"/fresh"
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):  # GOAWAY follows a response, or does not
                    await client.read_frame()
        assert client.goaway == (ErrorCode.NO_ERROR, "")
        client.client.disconnect()
        await handed_over

    run_conversation(conversation, echo_path)


def test_a_response_under_way_is_completed() -> None:
    answered = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        await answered.wait()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, idle = await front_end.client(), await front_end.client()
        client.send(get(origin, "/slow"))
        while not origin.requests:
            await asyncio.sleep(0.001)
        handed_over = hand_over(front_end, grace=0)
        assert await idle.rest() == b""
        answered.set()
        response = await client.response()
        assert (response.body, response.fields.get("Connection")) == (b"ok", "close")
        await handed_over

    run_conversation(conversation, waits)


def test_input_that_waits_in_the_socket_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = SimpleNamespace(get_extra_info=lambda name: ours if name == "socket" else None)
        assert not has_unread_input(transport)
        theirs.send(b"G")
        assert has_unread_input(transport)
    assert not has_unread_input(SimpleNamespace(get_extra_info=lambda _: None))
