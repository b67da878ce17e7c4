"""HTTP/2 with origins: many requests on one connection, the settings of the origin, and the end of a connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure
from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from tests.fixtures.http2_origin import Http2Peer, answering_all, ask, converse, data, http2
from tests.fixtures.origin_client import fetch_whole
from tests.fixtures.raw_origin import SHORT_TIMEOUT, RawOrigin, endless
from tests.fixtures.throwaway_ca import ThrowawayCA


def test_an_origin_that_speaks_only_http2_answers(ca: ThrowawayCA, each_loop: None) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(
            ask(origin, "/a?b", ("User-Agent", "test"), ("Connection", "x"), ("TE", "trailers"))
        )
        assert (response.head.status, response.head.reason, response.head.version) == (200, "OK", "HTTP/2.0")
        assert response.head.fields.lines == (("content-type", "text/plain"),)
        assert response.whole == b"content"

    async def script(origin: Http2Peer) -> None:
        assert (origin.settings[settings.ENABLE_PUSH], origin.settings[settings.HEADER_TABLE_SIZE]) == (0, 0)
        request = await origin.request()
        assert request.fields == {
            ":method": "GET",
            ":scheme": "https",
            ":authority": f"localhost:{request.fields[':authority'].rpartition(':')[2]}",
            ":path": "/a?b",
            "user-agent": "test",
            "te": "trailers",
        }
        await origin.answer(request.number, b"content", ("content-type", "text/plain"))

    converse(ca, conversation, http2(script))


def test_requests_at_a_time_share_one_connection(ca: ThrowawayCA, each_loop: None) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert await fetch_whole(client, ask(origin)) == b"ok"
        answers = await asyncio.gather(*[fetch_whole(client, ask(origin, f"/{number}")) for number in range(20)])
        assert answers == [b"/%d" % number for number in range(20)]
        assert origin.connections == 1

    async def script(origin: Http2Peer) -> None:
        await origin.answer((await origin.request()).number)
        requests = [await origin.request() for _ in range(20)]
        for request in reversed(requests):
            await origin.answer(request.number, request.fields[":path"].encode())

    converse(ca, conversation, http2(script))


def test_the_first_requests_wait_for_the_settings_and_then_share_the_connection(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))  # now HTTP/2 is known, and the connection ends
        await asyncio.gather(*[fetch_whole(client, ask(origin)) for _ in range(20)])
        assert origin.connections == 2

    async def ending(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(frames.goaway_frame(request.number, ErrorCode.NO_ERROR))
        await origin.answer(request.number)

    converse(ca, conversation, http2(ending), http2(answering_all))


def test_no_more_streams_are_open_than_the_origin_allows(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        await asyncio.gather(*[fetch_whole(client, ask(origin)) for _ in range(12)])
        assert origin.connections == 2  # max_connections

    async def script(origin: Http2Peer) -> None:
        while True:
            requests = [await origin.request()]
            with suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(SHORT_TIMEOUT):
                        requests.append(await origin.request())
            assert len(requests) <= 2
            for request in requests:
                await origin.answer(request.number)

    converse(ca, conversation, http2(script, {settings.MAX_CONCURRENT_STREAMS: 2}), max_connections=2)


def test_a_ping_is_answered(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert await fetch_whole(client, ask(origin)) == b"ok"

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(frames.frame(frames.PING, 0, 0, b"12345678"))
        pong = await origin.frame_of(frames.PING)
        assert (pong.flags, pong.payload) == (frames.ACK, b"12345678")
        await origin.answer(request.number)

    converse(ca, conversation, http2(script))


def test_frames_of_unknown_types_and_priorities_are_ignored(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert await fetch_whole(client, ask(origin)) == b"ok"

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(frames.frame(0x20, 0, 0, b"?"), frames.frame(frames.PRIORITY, 0, request.number, bytes(5)))
        await origin.answer(request.number)

    converse(ca, conversation, http2(script))


def test_an_unused_connection_is_closed_in_order(ca: ThrowawayCA) -> None:
    ends = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        while not ends:
            await asyncio.sleep(0.01)

    async def script(origin: Http2Peer) -> None:
        await origin.answer((await origin.request()).number)
        ends.append(await origin.closed_with())

    converse(ca, conversation, http2(script), idle_timeout=SHORT_TIMEOUT)
    assert ends == [ErrorCode.NO_ERROR]


# ---- GOAWAY


def test_a_request_that_goaway_leaves_out_is_sent_on_another_connection(ca: ThrowawayCA) -> None:
    """RFC 9113 §6.8, also for a method that is not idempotent."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        first, second = await asyncio.gather(
            fetch_whole(client, ask(origin)), fetch_whole(client, ask(origin, method="POST"))
        )
        assert (first, second) == (b"first", b"ok")
        assert origin.connections == 2

    async def ending(origin: Http2Peer) -> None:
        await origin.answer((await origin.request()).number)
        first, _ = await origin.request(), await origin.request()
        await origin.send(frames.goaway_frame(first.number, ErrorCode.NO_ERROR))
        await origin.answer(first.number, b"first")

    converse(ca, conversation, http2(ending), http2(answering_all))


def test_goaway_before_each_request_is_given_up(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(origin))
        assert caught.value.kind is FailureKind.CONNECTION_TERMINATED
        assert "ENHANCE_YOUR_CALM and did nothing for the request" in caught.value.detail
        return origin.connections

    async def ending(origin: Http2Peer) -> None:
        await origin.request()
        await origin.send(frames.goaway_frame(0, ErrorCode.ENHANCE_YOUR_CALM, "calm down"))

    assert converse(ca, conversation, http2(ending)) == 4


def test_a_graceful_end_lets_requests_under_way_finish(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(ask(origin))
        assert await fetch_whole(client, ask(origin)) == b"ok"  # on another connection
        assert b"".join([chunk async for chunk in response.body()]) == b"abc"

    async def ending(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(frames.goaway_frame(2**31 - 1, ErrorCode.NO_ERROR), origin.head(request.number))
        await asyncio.sleep(SHORT_TIMEOUT)
        await origin.send(
            frames.goaway_frame(request.number, ErrorCode.NO_ERROR), data(request.number, b"abc", end=True)
        )

    converse(ca, conversation, http2(ending), http2(answering_all))


def test_an_idle_connection_on_which_something_has_arrived_is_not_used_again(
    ca: ThrowawayCA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop may not have seen its end yet, and a POST could not be sent again."""
    monkeypatch.setattr("addon.origin.http2.connection.QUIET", 0.0)

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        peers[0].peer.send_now(b"")  # the origin ends the connection; nothing has run since
        assert await fetch_whole(client, ask(origin, method="POST")) == b"ok"
        assert origin.connections == 2

    peers: list[Http2Peer] = []

    async def script(origin: Http2Peer) -> None:
        peers.append(origin)
        await answering_all(origin)

    converse(ca, conversation, http2(script))


# ---- RST_STREAM, and the loss of the connection


def test_a_refused_stream_is_sent_again(ca: ThrowawayCA) -> None:
    """RFC 9113 §8.7."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert await fetch_whole(client, ask(origin, method="POST")) == b"ok"

    async def refusing(origin: Http2Peer) -> None:
        await origin.send(frames.reset_frame((await origin.request()).number, ErrorCode.REFUSED_STREAM))
        await answering_all(origin)

    converse(ca, conversation, http2(refusing))


def test_an_origin_may_end_every_stream_with_a_reset(ca: ThrowawayCA, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9113 §8.1. Some gRPC servers do, and it is no flood."""
    monkeypatch.setattr("addon.origin.http2.connection.CONTROL_FRAMES", 5)
    monkeypatch.setattr("addon.origin.http2.connection.CONTROL_FRAMES_PER_SECOND", 0)

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        for _ in range(20):
            assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1

    async def resetting(origin: Http2Peer) -> None:
        while True:
            number = (await origin.request()).number
            await origin.answer(number)
            await origin.send(frames.reset_frame(number, ErrorCode.NO_ERROR))

    converse(ca, conversation, http2(resetting))


def test_a_stream_that_is_always_refused_is_given_up(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(origin))
        assert caught.value.kind is FailureKind.DESTINATION_UNAVAILABLE
        assert "ended the request with the HTTP/2 error REFUSED_STREAM" in caught.value.detail

    async def refusing(origin: Http2Peer) -> None:
        for _ in range(4):
            await origin.send(frames.reset_frame((await origin.request()).number, ErrorCode.REFUSED_STREAM))

    converse(ca, conversation, http2(refusing))


@pytest.mark.parametrize("begin", [False, True], ids=["before the head", "within the content"])
def test_a_reset_stream_fails_and_others_go_on(ca: ThrowawayCA, begin: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await fetch_whole(client, ask(origin))
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.HTTP_RESPONSE_INCOMPLETE, False)
        assert "HTTP/2 error INTERNAL_ERROR" in caught.value.detail
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 1

    async def resetting(origin: Http2Peer) -> None:
        number = (await origin.request()).number
        if begin:
            await origin.send(origin.head(number), data(number, b"ab"))
        await origin.send(frames.reset_frame(number, ErrorCode.INTERNAL_ERROR))
        await answering_all(origin)

    converse(ca, conversation, http2(resetting))


async def losing(origin: Http2Peer) -> None:
    """Answer one request, and close the connection after the next one."""
    await origin.answer((await origin.request()).number)
    await origin.request()
    origin.peer.cut()


def test_an_idempotent_request_is_repeated_when_a_used_connection_is_lost(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        assert await fetch_whole(client, ask(origin)) == b"ok"
        assert origin.connections == 2

    converse(ca, conversation, http2(losing), http2(answering_all))


def test_a_request_that_may_have_had_effects_is_not_repeated(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await fetch_whole(client, ask(origin))
        with pytest.raises(OriginFailure) as caught:
            await fetch_whole(client, ask(origin, method="POST"))
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)
        assert origin.connections == 1

    converse(ca, conversation, http2(losing), http2(answering_all))


def test_an_origin_that_wants_http1_gets_it(ca: ThrowawayCA) -> None:
    """RFC 9113 §7, HTTP_1_1_REQUIRED."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        for _ in range(2):
            response = await client.fetch(ask(origin))
            assert (response.head.version, response.whole) == ("HTTP/1.1", b"ok")
        assert origin.connections == 2

    async def refusing(origin: Http2Peer) -> None:
        await origin.send(frames.reset_frame((await origin.request()).number, ErrorCode.HTTP_1_1_REQUIRED))

    converse(ca, conversation, http2(refusing), endless, protocols=("h2", "http/1.1"))
