"""The deadlines of slow clients: for a request head, for content, and for reading. The tests move the deadlines.

See docs/decisions.md, "Slow clients have deadlines".
"""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, STALL_TIMEOUT
from tests.addon.frontend.front_end import (
    LARGE_BODY,
    FrontEndUnderTest,
    echo_path,
    get,
    is_blocked,
    large,
    reads_until_cut,
    run_conversation,
    unread,
)
from tests.fixtures.raw_origin import OK, Peer, RawOrigin, answering, endless
from tests.fixtures.until import settle, until


async def buffered(front_end: FrontEndUnderTest, data: bytes) -> None:
    """Wait until a connection holds input that ends with these bytes."""
    await until(lambda: any(each._buffer.endswith(data) for each in front_end.connections))


# ---- request heads


def test_a_head_that_arrives_too_slowly_gets_408() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for byte in get(origin)[:9]:
            client.send(bytes([byte]))
            await buffered(front_end, bytes([byte]))
            front_end.advance_deadlines(HEAD_TIMEOUT / 10)
        client.send(b"x")
        await buffered(front_end, b"x")
        front_end.advance_deadlines(HEAD_TIMEOUT / 5)
        assert (await client.response()).status == 408
        assert await client.rest() == b""
        assert not origin.requests

    run_conversation(conversation, endless)


def test_a_head_after_a_response_that_arrives_too_slowly_gets_408() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + b"GET")
        assert (await client.response()).body == b"/a"
        await buffered(front_end, b"GET")
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        assert (await client.response()).status == 408

    run_conversation(conversation, echo_path)


def test_an_idle_connection_is_closed_without_a_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        new, used = await front_end.client(), await front_end.client()
        await used.fetch(get(origin))
        await until(lambda: len(front_end.connections) == 2)
        front_end.advance_deadlines(IDLE_TIMEOUT - 1)
        assert len(front_end.connections) == 2
        front_end.advance_deadlines(2)
        assert await new.rest() == await used.rest() == b""

    run_conversation(conversation, endless)


def test_two_hundred_slow_heads_expire_together() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        clients = [await front_end.client() for _ in range(200)]
        for client in clients:
            client.send(b"GET http://a.example/ HTTP/1.1\r\nX: ")
        other = await front_end.client()
        await until(lambda: len(front_end.connections) == 201)
        await buffered(front_end, b"X: ")
        await settle()
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        await until(lambda: len(front_end.connections) == 1)
        assert (await other.fetch(get(origin))).body == b"ok"

    run_conversation(conversation, endless)


def test_a_slow_origin_is_not_counted_against_its_client() -> None:
    may_answer = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await may_answer.wait()
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin))
        await until(lambda: bool(origin.requests))
        front_end.advance_deadlines(1e6)
        may_answer.set()
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, slow)


# ---- content


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_content_that_arrives_too_slowly_is_cut_off(framing: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", framing, method="PUT", body=b"5\r\n"))
        await until(lambda: bool(origin.requests))
        front_end.advance_deadlines(STALL_TIMEOUT - 1)
        client.send(b"hello")
        await settle()
        assert front_end.connections
        front_end.advance_deadlines(2)
        assert await client.rest() == b""
        await until(lambda: origin.requests[-1] == b"cut")

    run_conversation(conversation, reads_until_cut)


def test_content_that_arrives_fast_enough_may_take_any_time() -> None:
    async def reads_all(peer: Peer) -> None:
        await peer.request()
        await peer._reader.readexactly(200_000)
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", "Content-Length: 200000", method="PUT"))
        await until(lambda: bool(origin.requests))
        (connection,) = front_end.connections
        for number in range(1, 6):
            client.send(b"a" * 40_000)
            await until(lambda: connection._body is None or connection._body.received == number * 40_000)  # noqa: B023 - awaited before the next number
            front_end.advance_deadlines(STALL_TIMEOUT + 1)
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, reads_all)


def test_a_client_refused_in_the_middle_of_its_content_has_time_to_read_the_response() -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", "Content-Length: 100000000", method="PUT"))
        await until(lambda: bool(origin.requests))
        client.send(b"a" * 100_000)
        assert (await client.response()).status == 413
        assert await client.reader.read() == b""  # raises ConnectionError after a reset
        client.send(b"a" * 100_000)
        assert front_end.connections
        front_end.advance_deadlines(LINGER + 1)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, answering(refusal))


# ---- reading


def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client_that_does_not_read()
        client.send(get(origin))
        await until(lambda: any(map(is_blocked, front_end.connections)))
        front_end.advance_deadlines(STALL_TIMEOUT - 1)
        assert front_end.connections
        front_end.advance_deadlines(2)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, large)


def test_a_client_that_reads_slowly_gets_the_whole_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client(receive_buffer=65_536)
        client.send(get(origin))
        await client.head()
        received = 0
        while received < len(LARGE_BODY):
            received += len(await client.reader.read(2**18))
            front_end.advance_deadlines(1)
        assert received == len(LARGE_BODY)

    run_conversation(conversation, large)


def test_an_idle_client_that_has_not_read_its_last_response_is_cut_off() -> None:
    """Regression: the connection waited for its client to read, and had no further deadline."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client_that_does_not_read()
        for _ in range(10_000):
            client.send(get(origin, "/fresh/" + "a" * 8000))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if any(map(unread, front_end.connections)):
                break
        await settle()
        (connection,) = front_end.connections
        assert unread(connection)
        for _ in range(3):
            front_end.advance_deadlines(IDLE_TIMEOUT + 1)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_path)
