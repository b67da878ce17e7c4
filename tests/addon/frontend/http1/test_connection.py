"""One client connection: requests and responses in order, and what happens when one side ends it."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import (
    Client,
    FrontEndUnderTest,
    echo_path,
    get,
    reads_content,
    reads_until_cut,
    run_conversation,
)
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, Peer, RawOrigin, endless
from tests.fixtures.until import until


async def bodies(client: Client, count: int) -> list[bytes]:
    """Return the bodies of the next responses."""
    return [(await client.response()).body for _ in range(count)]


# ---- pipelining


def test_pipelined_requests_of_all_kinds_are_answered_in_order() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/fresh"))).status == 200
        put = get(origin, "/put", "Content-Length: 5", method="PUT", body=b"hello")
        hit, miss = get(origin, "/fresh"), get(origin, "/miss")
        client.send(hit + miss + hit + hit + put + hit + miss)
        assert await bodies(client, 7) == [b"/fresh", b"/miss", b"/fresh", b"/fresh", b"up", b"/fresh", b"/miss"]

    run_conversation(conversation, echo_path, reads_content(b"hello", OK.replace(b"ok", b"up")), echo_path)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_requests_may_arrive_in_pieces_of_any_size(size: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        data = get(origin, "/fresh") * 2 + get(origin, "/miss") + get(origin, "/fresh")
        for start in range(0, len(data), size):
            client.send(data[start : start + size])
            await asyncio.sleep(0)
        assert await bodies(client, 4) == [b"/fresh", b"/fresh", b"/miss", b"/fresh"]

    run_conversation(conversation, echo_path)


def test_no_request_is_answered_after_one_that_ends_the_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Connection: close") + get(origin, "/b"))
        response = await client.response()
        assert (response.body, response.fields.get("connection")) == (b"/a", "close")
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_a_malformed_request_after_a_valid_one_is_answered_in_order() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + b"x\ny\r\n\r\n" + get(origin, "/b"))
        assert [(await client.response()).status for _ in range(2)] == [200, 400]
        assert await client.rest() == b""
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


# ---- the client ends the connection


def test_a_client_that_ends_sending_gets_its_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for path, status in (("/a", 200), ("/fresh", 200), ("/fresh", 203)):
            client = await front_end.client()
            client.send(get(origin, path))
            client.end_sending()
            response = await client.response()
            assert (response.status, response.body) == (status, path.encode())
            assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_a_client_that_ends_sending_after_a_hit_gets_the_next_hit() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/fresh"))).body == b"/fresh"
        client.send(get(origin, "/fresh"))
        client.end_sending()
        assert (await client.response()).status == 203
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_a_client_that_ends_sending_gets_the_responses_to_all_its_requests() -> None:
    """Regression: requests that waited for the response under way were dropped."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + get(origin, "/b") + get(origin, "/c"))
        client.end_sending()
        assert await bodies(client, 3) == [b"/a", b"/b", b"/c"]
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_content_that_the_client_ends_short_is_cut_off_at_the_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Content-Length: 10", method="PUT", body=b"hello"))
        await until(lambda: bool(origin.requests))
        client.end_sending()
        await until(lambda: origin.requests[-1] == b"cut")

    run_conversation(conversation, reads_until_cut)


def test_a_response_is_stored_completely_after_its_client_has_disconnected() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nabc")
        await asyncio.sleep(0.02)
        await peer.send(b"def")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        await client.head()
        client.disconnect()
        await until(lambda: bool(front_end.entries()))
        response = await (await front_end.client()).fetch(get(origin, "/a"))
        assert (response.status, response.body) == (203, b"abcdef")
        assert origin.connections == 1

    run_conversation(conversation, script)


def test_the_origin_connection_of_an_uncacheable_response_is_closed_when_the_client_disconnects() -> None:
    async def endless_events(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        try:
            while not peer._reader.at_eof():
                await peer.send(b"3\r\nabc\r\n")
                await asyncio.sleep(0.001)
        finally:  # a reset raises ConnectionError
            peer._requests.append(b"closed")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        await client.head()
        client.disconnect()
        await until(lambda: origin.requests[-1] == b"closed")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless_events)


def test_clients_that_disconnect_before_their_response_do_not_disturb_other_clients() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for _ in range(5):
            client = await front_end.client()
            client.send(get(origin, "/a"))
            await asyncio.sleep(0)
            client.disconnect()
        assert (await (await front_end.client()).fetch(get(origin, "/a"))).body == b"ok"
        await until(lambda: len(front_end.connections) == 1)

    run_conversation(conversation, endless)


# ---- the proxy ends the connection


def test_a_proxy_that_stops_sends_the_response_under_way_first() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: 4\r\n\r\nab")
        await asyncio.sleep(0.05)
        await peer.send(b"cd")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, idle = await front_end.client(), await front_end.client()
        client.send(get(origin, "/a"))
        await client.head()
        closing = asyncio.ensure_future(front_end.listener.drain())
        assert await client.rest() == b"abcd"
        assert await idle.rest() == b""
        await closing

    run_conversation(conversation, script)
