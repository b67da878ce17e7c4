"""One request over HTTP/2: its content, the flow control of both directions, and the time limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, RequestContent
from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.stream import STREAM_WINDOW
from tests.fixtures.http2_origin import Http2Peer, answering_all, ask, converse, data, fetch_with, http2
from tests.fixtures.origin_client import chunked, fetch_whole, whole
from tests.fixtures.raw_origin import LONGER_TIMEOUT, SHORT_TIMEOUT, RawOrigin
from tests.fixtures.throwaway_ca import ThrowawayCA

LARGE = bytes(range(256)) * 4000


async def echoing(origin: Http2Peer) -> None:
    """Answer every request with its content."""
    while True:
        request = await origin.request()
        await origin.answer(request.number, await origin.content(request.number))


@pytest.mark.parametrize("length", [None, len(LARGE)])
def test_content_is_sent_as_fast_as_the_windows_allow(ca: ThrowawayCA, each_loop: None, length: int | None) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        request = ask(origin, "/", ("Content-Length", "9"), method="POST", has_content=True)
        for _ in range(2):
            assert await fetch_with(client, request, RequestContent(chunked(LARGE[:10], LARGE[10:]), length)) == LARGE
        assert origin.connections == 1

    converse(ca, conversation, http2(echoing, {settings.INITIAL_WINDOW_SIZE: 50_000}))


def test_the_length_of_content_is_declared_if_it_is_known(ca: ThrowawayCA) -> None:
    lengths: list[str | None] = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        request = ask(origin, "/", ("Content-Length", "9"), method="PUT", has_content=True)
        for length in (2, None):
            await fetch_with(client, request, RequestContent(chunked(b"ok"), length))

    async def script(origin: Http2Peer) -> None:
        for _ in range(2):
            request = await origin.request()
            lengths.append(request.fields.get("content-length"))
            await origin.answer(request.number, await origin.content(request.number))

    converse(ca, conversation, http2(script))
    assert lengths == ["2", None]


def test_the_response_arrives_while_the_request_is_being_sent(ca: ThrowawayCA, each_loop: None) -> None:
    """As in a bidirectional stream of gRPC."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        said: asyncio.Queue[bytes] = asyncio.Queue()

        async def messages() -> AsyncIterator[bytes]:
            while message := await said.get():
                yield message

        request = ask(origin, "/", method="POST", has_content=True)
        response = await client.fetch(request, content=RequestContent(messages()))
        body = response.body()
        for message in (b"one", b"two"):
            said.put_nowait(message)
            assert await anext(body) == message
        said.put_nowait(b"")
        assert [chunk async for chunk in body] == []
        assert response.trailers.lines == (("grpc-status", "0"),)

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(origin.head(request.number))
        while True:
            frame = await origin.frame_of(frames.DATA)
            if frame.flags & frames.END_STREAM:
                break
            await origin.send(data(request.number, frame.payload))
        await origin.send(origin.trailers(request.number, ("grpc-status", "0")))

    converse(ca, conversation, http2(script))


def test_a_request_whose_response_is_complete_is_sent_no_further(ca: ThrowawayCA) -> None:
    """RFC 9113 §8.1."""
    resets: list[tuple[int, int]] = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        async def endless_content() -> AsyncIterator[bytes]:
            yield b"begin"
            await asyncio.Event().wait()

        assert (
            await fetch_with(client, ask(origin, method="POST", has_content=True), RequestContent(endless_content()))
            == b"ok"
        )
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1

    async def script(origin: Http2Peer) -> None:
        await origin.answer((await origin.request()).number)
        resets.append(await origin.reset_with())
        await answering_all(origin)

    converse(ca, conversation, http2(script))
    assert resets == [(1, ErrorCode.NO_ERROR)]


def test_a_request_whose_content_was_begun_is_not_sent_again(ca: ThrowawayCA) -> None:
    """Even if nothing of the content has come: an iterator that was cancelled may have ended."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        async def late_content() -> AsyncIterator[bytes]:
            await asyncio.Event().wait()
            yield b""

        with pytest.raises(OriginFailure, match="REFUSED_STREAM"):
            await fetch_with(client, ask(origin, method="POST", has_content=True), RequestContent(late_content()))

    async def refusing(origin: Http2Peer) -> None:
        await origin.send(frames.reset_frame((await origin.request()).number, ErrorCode.REFUSED_STREAM))
        await answering_all(origin)

    converse(ca, conversation, http2(refusing))


def test_content_that_fails_resets_the_stream(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await fetch_with(
                client, ask(origin, method="POST", has_content=True), RequestContent(chunked(b"short"), 10)
            )
        assert caught.value.kind is FailureKind.HTTP_REQUEST_ERROR
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1

    async def script(origin: Http2Peer) -> None:
        await origin.request()
        assert await origin.reset_with() == (1, ErrorCode.CANCEL)
        await answering_all(origin)

    converse(ca, conversation, http2(script))


def test_a_response_that_is_closed_resets_the_stream(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(ask(origin))
        await response.close()
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(origin.head(request.number) + data(request.number, b"part"))
        assert await origin.reset_with() == (1, ErrorCode.CANCEL)
        await answering_all(origin)

    converse(ca, conversation, http2(script))


def test_a_cancelled_request_resets_the_stream(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        fetching = asyncio.create_task(client.fetch(ask(origin)))
        await arrived.wait()
        fetching.cancel()
        await asyncio.wait([fetching])
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1

    arrived = asyncio.Event()

    async def script(origin: Http2Peer) -> None:
        await origin.request()
        arrived.set()
        assert await origin.reset_with() == (1, ErrorCode.CANCEL)
        await answering_all(origin)

    converse(ca, conversation, http2(script))


def test_a_slow_reader_holds_up_its_own_stream_only(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        slow = await client.fetch(ask(origin))
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert len(await whole(slow)) == 2 * STREAM_WINDOW

    async def script(origin: Http2Peer) -> None:
        slow = await origin.request()
        await origin.send(origin.head(slow.number) + data(slow.number, bytes(STREAM_WINDOW)))  # the window is full
        other = await origin.request()
        await origin.answer(other.number)
        allowed = 0
        while allowed < STREAM_WINDOW:
            frame = await origin.frame_of(frames.WINDOW_UPDATE)
            allowed += frames.number_in(frame.payload, "") if frame.stream == slow.number else 0
        await origin.send(data(slow.number, bytes(STREAM_WINDOW), end=True))

    converse(ca, conversation, http2(script))


# ---- time limits


@pytest.mark.parametrize("begin", [False, True], ids=["before the head", "within the content"])
def test_a_silent_origin_fails_after_a_time(ca: ThrowawayCA, begin: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await fetch_whole(client, ask(origin))
        assert caught.value.kind is FailureKind.CONNECTION_READ_TIMEOUT
        assert f"sent nothing for {SHORT_TIMEOUT:g} seconds" in caught.value.detail

    async def silent(origin: Http2Peer) -> None:
        request = await origin.request()
        if begin:
            await origin.send(origin.head(request.number) + data(request.number, b"part"))
        await origin.reset_with()

    converse(ca, conversation, http2(silent), first_byte_timeout=SHORT_TIMEOUT, between_bytes_timeout=SHORT_TIMEOUT)


def test_a_connection_without_a_sign_of_life_carries_no_further_request(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        with pytest.raises(OriginFailure):
            await fetch_whole(client, ask(origin))
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 2

    async def dying(origin: Http2Peer) -> None:
        await origin.answer((await origin.request()).number)

    converse(ca, conversation, http2(dying), http2(answering_all), first_byte_timeout=LONGER_TIMEOUT)


def test_an_origin_that_takes_no_content_fails_after_a_time(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await fetch_with(
                client, ask(origin, method="POST", has_content=True), RequestContent(chunked(bytes(100_000)))
            )
        assert caught.value.kind is FailureKind.CONNECTION_WRITE_TIMEOUT

    async def not_reading(origin: Http2Peer) -> None:
        await origin.request()
        await origin.reset_with()

    limits = {settings.INITIAL_WINDOW_SIZE: 0}
    converse(ca, conversation, http2(not_reading, limits), between_bytes_timeout=SHORT_TIMEOUT)


def test_a_request_may_ask_for_more_time(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert await fetch_whole(client, ask(origin, "/", ("Accept", "text/event-stream"))) == b"ok"

    async def slow(origin: Http2Peer) -> None:
        request = await origin.request()
        await asyncio.sleep(4 * SHORT_TIMEOUT)
        await origin.answer(request.number)

    converse(ca, conversation, http2(slow), first_byte_timeout=SHORT_TIMEOUT)
