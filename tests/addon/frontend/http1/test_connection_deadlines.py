"""Clients that are slow (yardstick A25): to send a head, to send content, to read. No test waits; time is told."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, STALL_TIMEOUT
from tests.addon.frontend.doorway import Client, Doorway, by_path, converse, get, is_blocked, until
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, answering, endless

LARGE = 8 * 2**20


async def large(peer: Peer) -> None:
    """Answer every request with more than any socket takes."""
    while True:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % LARGE)
        for _ in range(LARGE // 2**16):
            await peer.send(b"a" * 2**16)


async def not_reading(doorway: Doorway) -> Client:
    client = await doorway.client(receive_buffer=4096, limit=1024)
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]
    return client


async def arrived(doorway: Doorway, octets: bytes) -> None:
    """Wait until the only connection holds octets that end like these."""
    await until(lambda: any(each._buffer.endswith(octets) for each in doorway.connections))  # type: ignore[attr-defined]


def test_a_head_that_drips_in_gets_408_however_steadily_it_drips() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        for octet in get(origin)[:9]:
            client.send(bytes([octet]))
            await arrived(doorway, bytes([octet]))
            doorway.later(HEAD_TIMEOUT / 10)
        client.send(b"x")
        await arrived(doorway, b"x")
        doorway.later(HEAD_TIMEOUT / 5)
        assert (await client.answer()).status == 408
        assert await client.rest() == b""
        assert not origin.requests

    converse(conversation, endless)


def test_a_head_that_drips_in_behind_an_answer_gets_408_too() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/a") + b"GET")
        assert (await client.answer()).body == b"/a"
        await arrived(doorway, b"GET")
        doorway.later(HEAD_TIMEOUT + 1)
        assert (await client.answer()).status == 408

    converse(conversation, by_path)


def test_a_client_at_rest_is_let_go_without_a_word() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        new, used = await doorway.client(), await doorway.client()
        await used.ask(get(origin))
        await until(lambda: len(doorway.connections) == 2)
        doorway.later(IDLE_TIMEOUT - 1)
        assert len(doorway.connections) == 2
        doorway.later(2)
        assert await new.rest() == await used.rest() == b""

    converse(conversation, endless)


def test_two_hundred_slow_heads_are_gone_after_the_time_for_one() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        clients = [await doorway.client() for _ in range(200)]
        for client in clients:
            client.send(b"GET http://a.example/ HTTP/1.1\r\nX: ")
        bystander = await doorway.client()
        await until(lambda: len(doorway.connections) == 201)
        await arrived(doorway, b"X: ")
        await asyncio.sleep(0.01)
        doorway.later(HEAD_TIMEOUT + 1)
        await until(lambda: len(doorway.connections) == 1)
        assert (await bystander.ask(get(origin))).body == b"ok"

    converse(conversation, endless)


def test_an_origin_that_takes_its_time_is_no_fault_of_the_client() -> None:
    answers = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await answers.wait()
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin))
        await until(lambda: bool(origin.requests))
        doorway.later(1e6)
        answers.set()
        assert (await client.answer()).body == b"ok"

    converse(conversation, slow)


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_content_that_drips_in_ends_in_a_cut(framing: str) -> None:
    async def takes_all(peer: Peer) -> None:
        await peer.request()
        await peer.closed_after_data()
        peer._requests.append(b"cut")

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/", framing, method="PUT", body=b"5\r\n"))
        await until(lambda: bool(origin.requests))
        doorway.later(STALL_TIMEOUT - 1)
        client.send(b"hello")
        await asyncio.sleep(0.01)
        assert doorway.connections
        doorway.later(2)
        assert await client.rest() == b""
        await until(lambda: origin.requests[-1] == b"cut")

    converse(conversation, takes_all)


def test_content_that_keeps_up_may_take_as_long_as_it_likes() -> None:
    async def takes_all(peer: Peer) -> None:
        await peer.request()
        for _ in range(5):
            await peer._reader.readexactly(40_000)
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/", "Content-Length: 200000", method="PUT"))
        await until(lambda: bool(origin.requests))
        (connection,) = doorway.connections
        for number in range(1, 6):
            client.send(b"a" * 40_000)
            await until(lambda: connection._body is None or connection._body.received == number * 40_000)  # type: ignore[attr-defined] # noqa: B023
            doorway.later(STALL_TIMEOUT + 1)
        assert (await client.answer()).body == b"ok"

    converse(conversation, takes_all)


def test_a_client_that_reads_nothing_is_cut_and_what_it_held_is_let_go() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await not_reading(doorway)
        client.send(get(origin))
        await until(lambda: any(map(is_blocked, doorway.connections)))  # type: ignore[attr-defined]
        doorway.later(STALL_TIMEOUT - 1)
        assert doorway.connections
        doorway.later(2)
        await until(lambda: not doorway.connections)

    converse(conversation, large)


def test_a_client_that_reads_slowly_but_reads_gets_everything() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client(receive_buffer=65_536)
        client.send(get(origin))
        await client.head()
        received = 0
        while received < LARGE:
            received += len(await client.reader.read(2**18))
            doorway.later(1)
        assert received == LARGE

    converse(conversation, large)


def test_a_client_refused_in_the_middle_of_its_content_gets_time_to_read_why() -> None:
    refused = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/", "Content-Length: 100000000", method="PUT"))
        await until(lambda: bool(origin.requests))
        client.send(b"a" * 100_000)
        assert (await client.answer()).status == 413
        assert await client.reader.read() == b""  # the end, and no reset
        client.send(b"a" * 100_000)
        assert doorway.connections
        doorway.later(LINGER + 1)
        await until(lambda: not doorway.connections)

    converse(conversation, answering(refused))


def test_a_client_at_rest_that_has_not_read_the_last_of_its_answers_is_let_go_too() -> None:
    """It was closed, which waits for the client to read, and never looked at again."""

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await not_reading(doorway)
        for _ in range(10_000):
            client.send(get(origin, "/fresh/" + "a" * 8000))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if any(each.transport.get_write_buffer_size() for each in doorway.connections):  # type: ignore[attr-defined]
                break
        await asyncio.sleep(0.02)
        (connection,) = doorway.connections
        assert connection.transport.get_write_buffer_size()  # type: ignore[attr-defined]
        doorway.later(IDLE_TIMEOUT + 1)
        doorway.later(IDLE_TIMEOUT + 1)
        doorway.later(IDLE_TIMEOUT + 1)
        await until(lambda: not doorway.connections)

    converse(conversation, by_path)
