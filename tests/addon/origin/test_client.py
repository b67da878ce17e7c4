"""Reading an answer slowly, waiting for one, giving one up."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from addon.origin.response_reader import ResponseReader
from tests.fixtures.origin_client import converse, get, head_refusal, whole
from tests.fixtures.raw_origin import HEAD, OK, QUICK, Peer, RawOrigin, answering

pytestmark = pytest.mark.usefixtures("each_loop")


def test_the_origin_waits_for_a_slow_reader() -> None:
    size, sent = 32 * 1024 * 1024, []

    async def generous(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65_536):
            await peer.send(b"x" * 65_536)
            sent.append(65_536)
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        answer, received, before = await client.fetch(get(origin)), 0, -1
        while before != len(sent):  # until it has stopped sending
            before = len(sent)
            await asyncio.sleep(QUICK)
        assert sum(sent) < size
        async for chunk in answer.body():
            received += len(chunk)
        return received

    assert converse(conversation, generous) == size


def test_times_come_from_the_clock_around_the_exchange() -> None:
    now = iter([100.0, 103.0])

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[float, float]:
        answer = await client.fetch(get(origin))
        return answer.request_time, answer.response_time

    assert converse(conversation, answering(OK), clock=lambda: next(now)) == (100.0, 103.0)


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.client_closed()


def test_an_origin_that_says_nothing_times_out() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await client.fetch(get(origin))

    with pytest.raises(OriginFailure) as caught:
        converse(conversation, silent, options=OriginOptions(proxy="none", first_byte_timeout=QUICK))
    assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_READ_TIMEOUT, True)


@pytest.mark.parametrize(
    ("octets", "disconnected"), [(b"HTTP/1.1 200", True), (HEAD + b"Content-Length: 3\r\n\r\nab", False)]
)
def test_an_origin_that_falls_silent_times_out(octets: bytes, disconnected: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await whole(await client.fetch(get(origin)))

    with pytest.raises(OriginFailure) as caught:
        converse(conversation, answering(octets), options=OriginOptions(proxy="none", between_bytes_timeout=QUICK))
    assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_READ_TIMEOUT, disconnected)


def test_an_origin_that_closes_without_a_word_is_disconnected() -> None:
    failure = head_refusal(b"")
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)
    assert failure.detail.startswith("127.0.0.1:")


def test_half_a_head_is_disconnected() -> None:
    failure = head_refusal(HEAD + b"Content-Le")
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)


def test_a_cancelled_request_closes_its_connection() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def listening(peer: Peer) -> None:
        await peer.request()
        asked.set()
        if await peer.client_closed():
            gone.set()

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        task = asyncio.create_task(client.fetch(get(origin)))
        await asked.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await asyncio.wait_for(gone.wait(), 5)

    converse(conversation, listening)


def test_a_request_cancelled_just_as_its_head_arrives_closes_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        task = asyncio.create_task(client.fetch(get(origin)))

        def feed_and_cancel(exchange: ResponseReader, octets: bytes) -> None:
            feed(exchange, octets)
            task.cancel()

        with monkeypatch.context() as patched:
            feed = ResponseReader.feed
            patched.setattr(ResponseReader, "feed", feed_and_cancel)
            await asyncio.wait([task])
        assert task.cancelled()
        return await whole(await client.fetch(get(origin)))

    begun = answering(HEAD + b"Content-Length: 3\r\n\r\n")
    given = OriginOptions(proxy="none", max_connections=1, first_byte_timeout=1.0)
    assert converse(conversation, begun, answering(OK), options=given) == b"ok"


def test_closing_the_client_ends_exchanges_and_refuses_later_ones() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        answer = await client.fetch(get(origin))
        await client.close()
        with pytest.raises(OriginFailure) as caught:
            await whole(answer)
        assert caught.value.kind is FailureKind.HTTP_RESPONSE_INCOMPLETE
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        assert caught.value.kind is FailureKind.PROXY_INTERNAL_ERROR

    converse(conversation, answering(HEAD + b"Content-Length: 3\r\n\r\nab"))
