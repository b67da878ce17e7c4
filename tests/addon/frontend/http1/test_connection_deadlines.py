"""Clients that are slow (yardstick A25): to send a head, to send content, to read. No test waits; time is told."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, STALL_TIMEOUT
from tests.addon.frontend.front_end import (
    Client,
    FrontEndUnderTest,
    echo_path,
    get,
    is_blocked,
    run_conversation,
    until,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, answering, endless

LARGE = 8 * 2**20


async def large(peer: Peer) -> None:
    """Answer every request with more than any socket takes."""
    while True:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % LARGE)
        for _ in range(LARGE // 2**16):
            await peer.send(b"a" * 2**16)


async def not_reading(front_end: FrontEndUnderTest) -> Client:
    client = await front_end.client(receive_buffer=4096, limit=1024)
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]
    return client


async def arrived(front_end: FrontEndUnderTest, octets: bytes) -> None:
    """Wait until the only connection holds octets that end like these."""
    await until(lambda: any(each._buffer.endswith(octets) for each in front_end.connections))  # type: ignore[attr-defined]


def test_a_head_that_drips_in_gets_408_however_steadily_it_drips() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for octet in get(origin)[:9]:
            client.send(bytes([octet]))
            await arrived(front_end, bytes([octet]))
            front_end.advance_deadlines(HEAD_TIMEOUT / 10)
        client.send(b"x")
        await arrived(front_end, b"x")
        front_end.advance_deadlines(HEAD_TIMEOUT / 5)
        assert (await client.response()).status == 408
        assert await client.rest() == b""
        assert not origin.requests

    run_conversation(conversation, endless)


def test_a_head_that_drips_in_behind_an_answer_gets_408_too() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + b"GET")
        assert (await client.response()).body == b"/a"
        await arrived(front_end, b"GET")
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        assert (await client.response()).status == 408

    run_conversation(conversation, echo_path)


def test_a_client_at_rest_is_let_go_without_a_word() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        new, used = await front_end.client(), await front_end.client()
        await used.fetch(get(origin))
        await until(lambda: len(front_end.connections) == 2)
        front_end.advance_deadlines(IDLE_TIMEOUT - 1)
        assert len(front_end.connections) == 2
        front_end.advance_deadlines(2)
        assert await new.rest() == await used.rest() == b""

    run_conversation(conversation, endless)


def test_two_hundred_slow_heads_are_gone_after_the_time_for_one() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        clients = [await front_end.client() for _ in range(200)]
        for client in clients:
            client.send(b"GET http://a.example/ HTTP/1.1\r\nX: ")
        bystander = await front_end.client()
        await until(lambda: len(front_end.connections) == 201)
        await arrived(front_end, b"X: ")
        await asyncio.sleep(0.01)
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        await until(lambda: len(front_end.connections) == 1)
        assert (await bystander.fetch(get(origin))).body == b"ok"

    run_conversation(conversation, endless)


def test_an_origin_that_takes_its_time_is_no_fault_of_the_client() -> None:
    answers = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await answers.wait()
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin))
        await until(lambda: bool(origin.requests))
        front_end.advance_deadlines(1e6)
        answers.set()
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, slow)


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_content_that_drips_in_ends_in_a_cut(framing: str) -> None:
    async def takes_all(peer: Peer) -> None:
        await peer.request()
        await peer.closed_after_data()
        peer._requests.append(b"cut")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", framing, method="PUT", body=b"5\r\n"))
        await until(lambda: bool(origin.requests))
        front_end.advance_deadlines(STALL_TIMEOUT - 1)
        client.send(b"hello")
        await asyncio.sleep(0.01)
        assert front_end.connections
        front_end.advance_deadlines(2)
        assert await client.rest() == b""
        await until(lambda: origin.requests[-1] == b"cut")

    run_conversation(conversation, takes_all)


def test_content_that_keeps_up_may_take_as_long_as_it_likes() -> None:
    async def takes_all(peer: Peer) -> None:
        await peer.request()
        for _ in range(5):
            await peer._reader.readexactly(40_000)
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", "Content-Length: 200000", method="PUT"))
        await until(lambda: bool(origin.requests))
        (connection,) = front_end.connections
        for number in range(1, 6):
            client.send(b"a" * 40_000)
            await until(lambda: connection._body is None or connection._body.received == number * 40_000)  # type: ignore[attr-defined] # noqa: B023
            front_end.advance_deadlines(STALL_TIMEOUT + 1)
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, takes_all)


def test_a_client_that_reads_nothing_is_cut_and_what_it_held_is_let_go() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await not_reading(front_end)
        client.send(get(origin))
        await until(lambda: any(map(is_blocked, front_end.connections)))  # type: ignore[attr-defined]
        front_end.advance_deadlines(STALL_TIMEOUT - 1)
        assert front_end.connections
        front_end.advance_deadlines(2)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, large)


def test_a_client_that_reads_slowly_but_reads_gets_everything() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client(receive_buffer=65_536)
        client.send(get(origin))
        await client.head()
        received = 0
        while received < LARGE:
            received += len(await client.reader.read(2**18))
            front_end.advance_deadlines(1)
        assert received == LARGE

    run_conversation(conversation, large)


def test_a_client_refused_in_the_middle_of_its_content_gets_time_to_read_why() -> None:
    refused = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", "Content-Length: 100000000", method="PUT"))
        await until(lambda: bool(origin.requests))
        client.send(b"a" * 100_000)
        assert (await client.response()).status == 413
        assert await client.reader.read() == b""  # the end, and no reset
        client.send(b"a" * 100_000)
        assert front_end.connections
        front_end.advance_deadlines(LINGER + 1)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, answering(refused))


def test_a_client_at_rest_that_has_not_read_the_last_of_its_answers_is_let_go_too() -> None:
    """It was closed, which waits for the client to read, and never looked at again."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await not_reading(front_end)
        for _ in range(10_000):
            client.send(get(origin, "/fresh/" + "a" * 8000))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if any(each.transport.get_write_buffer_size() for each in front_end.connections):  # type: ignore[attr-defined]
                break
        await asyncio.sleep(0.02)
        (connection,) = front_end.connections
        assert connection.transport.get_write_buffer_size()  # type: ignore[attr-defined]
        front_end.advance_deadlines(IDLE_TIMEOUT + 1)
        front_end.advance_deadlines(IDLE_TIMEOUT + 1)
        front_end.advance_deadlines(IDLE_TIMEOUT + 1)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_path)
