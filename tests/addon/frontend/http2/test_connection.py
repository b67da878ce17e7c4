"""Requests and responses over HTTP/2: hits, misses, many streams at a time, and the log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.config.http2 import Http2Settings
from addon.frontend.http2.settings import ENABLE_CONNECT_PROTOCOL
from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import (
    FRESH,
    LARGE_BODY,
    FrontEndUnderTest,
    echo_path,
    get,
    large,
    origin_tls,
    run_conversation,
    silent,
)
from tests.addon.frontend.http2.http2_client import (
    LARGE_WINDOW,
    Http2Client,
    Received,
    http2_client,
    http2_client_in_tunnel,
)
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, Peer, RawOrigin, answering, endless
from tests.fixtures.until import until


def test_the_settings_of_the_proxy_name_its_limits() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        await client.roundtrip()
        assert client.settings == {
            settings.MAX_CONCURRENT_STREAMS: 100,
            settings.INITIAL_WINDOW_SIZE: 100_000,
            settings.MAX_HEADER_LIST_SIZE: 40_000,
            ENABLE_CONNECT_PROTOCOL: 1,
        }
        assert client.windows == {0: 200_000 - 65_535}

    limits = {"streams": 100, "stream_window": 100_000, "connection_window": 200_000}
    run_conversation(conversation, endless, http2=limits, limits={"max_head": 40_000})


def test_the_second_response_is_the_copy_with_its_age() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        first = await client.fetch("/a")
        front_end.clock.advance(9)
        hits = [await client.fetch("/a") for _ in range(3)]
        front_end.clock.advance(1)
        later = await client.fetch("/a")
        assert (first.status, first.content) == (200, b"ok")
        assert [(hit.status, hit.content, hit.heads[0]["age"]) for hit in hits] == [(203, b"ok", "9")] * 3
        assert hits[2].heads[0]["cache-status"] == "secondhand; hit; ttl=51"
        assert (later.heads[0]["age"], later.heads[0]["cache-status"]) == ("10", "secondhand; hit; ttl=50")
        assert len(origin.requests) == 1
        counts = front_end.service.counters.snapshot()
        assert (counts["requests"], counts["hits"], counts["octets.from_copy"]) == (5, 4, 8)

    run_conversation(conversation, answering(FRESH))


def test_a_copy_is_the_same_over_both_protocols() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        one, two = await front_end.client(), await http2_client(front_end, origin)
        await one.fetch(get(origin, "/a"))
        hit_1, hit_2 = await one.fetch(get(origin, "/a")), await two.fetch("/a")
        fields = {name.lower(): value for name, value in hit_1.fields}
        assert {":status": "203", **fields} == hit_2.heads[0]
        assert hit_1.body == hit_2.content

    run_conversation(conversation, answering(FRESH))


def test_a_head_is_answered_from_the_copy_without_content() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        await client.fetch("/a")
        for _ in range(2):
            response = await client.fetch("/a", method="HEAD")
            assert (response.status, response.heads[0]["content-length"], response.content) == (203, "2", b"")

    run_conversation(conversation, answering(FRESH))


@pytest.mark.parametrize("window", [2**16 - 1, LARGE_WINDOW], ids=["small windows", "large windows"])
def test_a_large_copy_arrives_complete(window: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: window})
        for _ in range(2):
            stream = client.ask("/a")
            while not (received := client.streams.get(stream)) or not received.ended:
                if await client.read_frame() == frames.DATA:
                    client.widen(0, frames.MAX_FRAME)
                    client.widen(stream, frames.MAX_FRAME)
            assert received.content == LARGE_BODY

    async def large_and_fresh(peer: Peer) -> None:
        await peer.request()
        head = b"Cache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n" % len(LARGE_BODY)
        await peer.send(HEAD + head + LARGE_BODY)
        await peer.client_closed()

    run_conversation(conversation, large_and_fresh)


def test_large_responses_of_several_streams_are_interleaved() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: LARGE_WINDOW})
        client.widen(0, LARGE_WINDOW)
        streams = [client.ask(f"/{number}") for number in range(3)]
        for stream in streams:
            assert (await client.response(stream)).content == LARGE_BODY
        half = client.order[: len(client.order) // 2]
        assert all(half.count(stream) > len(half) // 8 for stream in streams)

    run_conversation(conversation, large)


def test_a_slow_response_does_not_hold_up_another_one() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.ask("/slow")
        await until(lambda: len(origin.requests) == 1)
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, silent, echo_path)


def test_many_requests_at_once_each_get_their_own_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client_in_tunnel(front_end, origin)
        streams = {client.ask(f"/{number}"): b"/%d" % number for number in range(100)}
        assert {stream: (await client.response(stream)).content for stream in streams} == streams

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_requests_for_the_same_url_share_one_fetch() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        streams = [client.ask("/fresh") for _ in range(10)]
        assert [(await client.response(stream)).content for stream in streams] == [b"/fresh"] * 10
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


def test_interim_responses_come_before_the_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        response = await client.fetch("/a")
        assert [head[":status"] for head in response.heads] == ["103", "200"]
        assert response.heads[0]["link"] == "</style.css>"

    run_conversation(conversation, answering(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" + OK))


@pytest.mark.parametrize("lines", [(), (("te", "trailers"),)])
def test_trailers_reach_a_client_that_asks_for_them(lines: tuple[tuple[str, str], ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        response = await client.fetch("/a", *lines)
        assert response.content == b"hello"
        assert response.heads[1:] == ([{"grpc-status": "0"}] if lines else [])

    chunks = b"5\r\nhello\r\n0\r\nGrpc-Status: 0\r\n\r\n"
    run_conversation(conversation, answering(CHUNKED + chunks))


def test_a_response_that_ends_short_resets_its_stream_only() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        cut = await client.fetch("/a")
        assert (cut.status, cut.ended, cut.reset) == (200, False, ErrorCode.INTERNAL_ERROR)
        assert (await client.fetch("/b")).content == b"/b"

    run_conversation(conversation, answering(CHUNKED + b"5\r\nhello\r\n", then_close=True), echo_path)


def test_a_stream_that_is_reset_ends_its_fetch_and_the_others_go_on() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", method="DELETE")
        await until(lambda: len(origin.requests) == 1)
        client.reset(stream)
        assert (await client.fetch("/b")).content == b"/b"
        await until(lambda: ended.is_set())

    ended = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()
        ended.set()

    run_conversation(conversation, waits, echo_path)


def test_each_stream_has_a_line_in_the_access_log(tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        await client.fetch("/fresh?token=1")
        await client.fetch("/fresh?token=1")
        await client.fetch("/fresh?token=1")
        await client.fetch("/a", ("X-Capital", "1"))
        await client.response(client.send_head([(":method", "CONNECT"), (":authority", client.authority)]))

    async def with_origin(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await conversation(front_end, origin)
        await front_end.listener.close()
        url = f"http://127.0.0.1:{origin.port}"
        lines = [line.partition("] ")[2] for line in log.read_text().splitlines()]
        assert lines[:3] == [
            f'"GET {url}/fresh?[hidden] HTTP/2.0" 200 14 uri-miss',
            f'"GET {url}/fresh?[hidden] HTTP/2.0" 203 14 hit',
            f'"GET {url}/fresh?[hidden] HTTP/2.0" 203 14 hit',
        ]
        assert lines[3].startswith('"-" 400 ')
        assert lines[4].startswith(f'"CONNECT 127.0.0.1:{origin.port} HTTP/2.0" 200 0 tunnel')

    run_conversation(with_origin, echo_path, log={"access": str(log)})


def test_an_edge_answers_over_http2() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.client(), "public.example", "http")
        client.greet()
        stream = client.ask("/a")
        response = await client.response(stream)
        assert response.status == 502  # nothing listens at the origin of this edge
        assert b"reason: fetch-failed\n" in response.content

    run_conversation(conversation, endless, edge="http://127.0.0.1:9")


def test_the_preface_may_arrive_byte_by_byte() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.client(), "127.0.0.1", "http")
        for byte in frames.PREFACE + frames.settings_frame({}):
            client.client.send(bytes([byte]))
            await asyncio.sleep(0)
        await client.roundtrip()
        assert client.acknowledged == 1

    run_conversation(conversation, endless)


def test_after_a_smaller_table_is_asked_for_the_next_block_confirms_it() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.HEADER_TABLE_SIZE: 0})
        client.decoder.max_allowed_table_size = 0  # a block that does not confirm it is an error from now on
        for status in (200, 203, 203):
            assert (await client.fetch("/fresh")).status == status
        assert client.decoder.header_table_size == 0

    run_conversation(conversation, echo_path)


def test_a_stream_with_a_tiny_window_does_not_keep_the_window_of_the_connection_from_others() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: 1})
        tiny = client.ask("/tiny")
        while len(client.streams.get(tiny, Received()).content) < 1:
            await client.read_frame()
        other = client.ask("/other")
        client.widen(other, LARGE_WINDOW)
        while len(client.streams.get(other, Received()).content) < 65_535 - 1:
            await client.read_frame()
        client.client.send(frames.settings_frame({settings.INITIAL_WINDOW_SIZE: 2}))  # one byte more for each
        client.widen(0, 10_000)
        while len(client.streams[other].content) < 65_535 - 1 + 10_000 - 1:
            await client.read_frame()
        assert len(client.streams[tiny].content) == 2

    run_conversation(conversation, large)


def test_other_limits_apply_to_new_connections() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        old = await http2_client(front_end, origin)
        front_end.service.settings = front_end.settings.model_copy(update={"http2": Http2Settings(streams=7)})
        new = await http2_client(front_end, origin)
        assert old.settings[settings.MAX_CONCURRENT_STREAMS] == 128
        assert new.settings[settings.MAX_CONCURRENT_STREAMS] == 7

    run_conversation(conversation, endless)


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*"])
def test_a_stream_without_end_ends_when_its_client_closes_its_side(accept: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.ask("/events", ("accept", accept))
        await until(lambda: len(origin.requests) == 1)
        client.client.end_sending()
        if accept == "text/event-stream":
            await client.until_closed()
            await until(lambda: not front_end.connections)
        else:
            await asyncio.sleep(0)
            assert len(front_end.connections) == 1

    run_conversation(conversation, silent)
