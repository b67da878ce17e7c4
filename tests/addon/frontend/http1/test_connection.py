"""One client connection: requests in order, answers in order, whoever leaf_contexts when."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import Client, FrontEndUnderTest, echo_path, get, run_conversation, until
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, Peer, RawOrigin, endless

FRESH = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\n"


async def reads_hello(peer: Peer) -> None:
    await peer.request()
    await peer.request(b"hello")
    await peer.send(OK.replace(b"ok", b"up"))
    await peer.client_closed()


async def bodies(client: Client, count: int) -> list[bytes]:
    return [(await client.response()).body for _ in range(count)]


# ---- pipelining


def test_pipelined_requests_are_answered_in_order_whatever_they_are() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/fresh"))).status == 200
        upload = get(origin, "/up", "Content-Length: 5", method="PUT", body=b"hello")
        hit, miss = get(origin, "/fresh"), get(origin, "/miss")
        client.send(hit + miss + hit + hit + upload + hit + miss)
        assert await bodies(client, 7) == [b"/fresh", b"/miss", b"/fresh", b"/fresh", b"up", b"/fresh", b"/miss"]

    run_conversation(conversation, echo_path, reads_hello, echo_path)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_requests_may_come_in_pieces_of_any_size(size: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        octets = get(origin, "/fresh") * 2 + get(origin, "/miss") + get(origin, "/fresh")
        for start in range(0, len(octets), size):
            client.send(octets[start : start + size])
            await asyncio.sleep(0)
        assert await bodies(client, 4) == [b"/fresh", b"/fresh", b"/miss", b"/fresh"]

    run_conversation(conversation, echo_path)


def test_nothing_is_answered_behind_a_request_that_ends_the_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Connection: close") + get(origin, "/b"))
        response = await client.response()
        assert (response.body, response.fields.get("connection")) == (b"/a", "close")
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_a_malformed_request_behind_a_good_one_gets_its_answer_in_turn() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + b"x\ny\r\n\r\n" + get(origin, "/b"))
        assert [(await client.response()).status for _ in range(2)] == [200, 400]
        assert await client.rest() == b""
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


# ---- leaving


def test_a_client_that_sends_no_more_gets_its_answer() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        client.end_sending()
        assert (await client.response()).body == b"/a"
        assert await client.rest() == b""
        client = await front_end.client()
        client.send(get(origin, "/fresh"))
        assert (await client.response()).body == b"/fresh"
        client.send(get(origin, "/fresh"))
        client.end_sending()
        assert (await client.response()).status == 203
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_a_client_that_sends_no_more_gets_the_answers_to_all_it_has_asked() -> None:
    """What waited behind the present answer was forgotten."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + get(origin, "/b") + get(origin, "/c"))
        client.end_sending()
        assert await bodies(client, 3) == [b"/a", b"/b", b"/c"]
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_content_that_ends_short_with_the_client_never_counts_as_whole() -> None:
    async def reads_all(peer: Peer) -> None:
        await peer.request()
        assert await peer.closed_after_data()
        peer._requests.append(b"cut")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Content-Length: 10", method="PUT", body=b"hello"))
        await until(lambda: bool(origin.requests))
        client.end_sending()
        await until(lambda: origin.requests[-1] == b"cut")

    run_conversation(conversation, reads_all)


def test_a_client_that_leaves_lets_the_copy_become_whole() -> None:
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


def test_a_client_that_leaves_what_is_not_stored_lets_go_of_the_origin() -> None:
    async def endless_events(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        while not peer._reader.at_eof():
            await peer.send(b"3\r\nabc\r\n")
            await asyncio.sleep(0.001)
        peer._requests.append(b"left")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        await client.head()
        client.disconnect()
        await until(lambda: origin.requests[-1] == b"left")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless_events)


def test_a_client_that_leaves_before_its_answer_disturbs_nobody() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for _ in range(5):
            client = await front_end.client()
            client.send(get(origin, "/a"))
            await asyncio.sleep(0)
            client.disconnect()
        assert (await (await front_end.client()).fetch(get(origin, "/a"))).body == b"ok"
        await until(lambda: len(front_end.connections) == 1)

    run_conversation(conversation, endless)


def test_a_proxy_that_ends_lets_the_present_answer_end_first() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: 4\r\n\r\nab")
        await asyncio.sleep(0.05)
        await peer.send(b"cd")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, resting = await front_end.client(), await front_end.client()
        client.send(get(origin, "/a"))
        await client.head()
        closing = asyncio.ensure_future(front_end.listener.close(5))
        assert await client.rest() == b"abcd"
        assert await resting.rest() == b""
        await closing

    run_conversation(conversation, script)
