"""The origin client: slow readers, timeouts, cancelled requests."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions, OriginResponse
from addon.origin.response_reader import ResponseReader
from tests.fixtures.origin_client import get, head_refusal, run_conversation, whole
from tests.fixtures.raw_origin import HEAD, OK, SHORT_TIMEOUT, Peer, RawOrigin, answering

pytestmark = pytest.mark.usefixtures("each_loop")


def test_the_origin_waits_for_a_slow_reader() -> None:
    size, sent = 32 * 1024 * 1024, []

    async def large_body(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65_536):
            await peer.send(b"x" * 65_536)
            sent.append(65_536)
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        response, received, before = await client.fetch(get(origin)), 0, -1
        while before != len(sent):  # until the origin has stopped sending
            before = len(sent)
            await asyncio.sleep(SHORT_TIMEOUT)
        assert sum(sent) < size
        async for chunk in response.body():
            received += len(chunk)
        return received

    assert run_conversation(conversation, large_body) == size


def test_request_and_response_times_come_from_the_clock() -> None:
    now = iter([98.0, 100.0, 103.0])

    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginResponse:
        return await client.fetch(get(origin))

    response = run_conversation(conversation, answering(OK), clock=lambda: next(now))
    assert (response.request_time, response.response_time) == (100.0, 103.0)
    assert (response.times.connect, response.times.head) == (2.0, 3.0)


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.client_closed()


def test_an_origin_that_sends_nothing_times_out() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await client.fetch(get(origin))

    with pytest.raises(OriginFailure) as caught:
        run_conversation(conversation, silent, options=OriginOptions(proxy="none", first_byte_timeout=SHORT_TIMEOUT))
    assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_READ_TIMEOUT, True)


@pytest.mark.parametrize(
    ("data", "disconnected"), [(b"HTTP/1.1 200", True), (HEAD + b"Content-Length: 3\r\n\r\nab", False)]
)
def test_an_origin_that_stops_sending_times_out(data: bytes, disconnected: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await whole(await client.fetch(get(origin)))

    with pytest.raises(OriginFailure) as caught:
        run_conversation(
            conversation, answering(data), options=OriginOptions(proxy="none", between_bytes_timeout=SHORT_TIMEOUT)
        )
    assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_READ_TIMEOUT, disconnected)


def test_an_origin_that_closes_without_a_response_is_disconnected() -> None:
    failure = head_refusal(b"")
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)
    assert failure.detail.startswith("127.0.0.1:")


def test_an_origin_that_closes_within_a_head_is_disconnected() -> None:
    failure = head_refusal(HEAD + b"Content-Le")
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)


def test_a_cancelled_request_closes_its_connection() -> None:
    received, closed = asyncio.Event(), asyncio.Event()

    async def silent_origin(peer: Peer) -> None:
        await peer.request()
        received.set()
        if await peer.client_closed():
            closed.set()

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        task = asyncio.create_task(client.fetch(get(origin)))
        await received.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await asyncio.wait_for(closed.wait(), 60)

    run_conversation(conversation, silent_origin)


def test_a_request_cancelled_just_as_its_head_arrives_closes_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        task = asyncio.create_task(client.fetch(get(origin)))

        def feed_and_cancel(reader: ResponseReader, data: bytes) -> None:
            feed(reader, data)
            task.cancel()

        with monkeypatch.context() as patched:
            feed = ResponseReader.feed
            patched.setattr(ResponseReader, "feed", feed_and_cancel)
            await asyncio.wait([task])
        assert task.cancelled()
        return await whole(await client.fetch(get(origin)))

    head_only = answering(HEAD + b"Content-Length: 3\r\n\r\n")
    options = OriginOptions(proxy="none", max_connections=1, first_byte_timeout=30.0)
    assert run_conversation(conversation, head_only, answering(OK), options=options) == b"ok"


def test_closing_the_client_fails_open_and_later_requests() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(get(origin))
        await client.close()
        with pytest.raises(OriginFailure) as caught:
            await whole(response)
        assert caught.value.kind is FailureKind.HTTP_RESPONSE_INCOMPLETE
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        assert caught.value.kind is FailureKind.PROXY_INTERNAL_ERROR

    run_conversation(conversation, answering(HEAD + b"Content-Length: 3\r\n\r\nab"))
