"""Requests with content over HTTP/2: flow control, declared lengths, trailers, early responses."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connections import STALL_TIMEOUT
from addon.origin.http2 import frames
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    echo_path,
    reads_content,
    reads_until_cut,
    run_conversation,
    silent,
)
from tests.addon.frontend.http2.http2_client import Received, http2_client, pass_time
from tests.fixtures.raw_origin import CHUNKED, OK, Peer, RawOrigin, endless
from tests.fixtures.until import until

UPLOAD = 2**23
"""More than all sockets hold."""

WINDOWS = {"stream_window": 50_000, "connection_window": 70_000}


def test_content_with_a_length_is_sent_with_it() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", ("content-length", "10"), method="POST", end_stream=False)
        client.send_data(stream, b"hello")
        client.send_data(stream, b"world", end_stream=True)
        assert (await client.response(stream)).content == b"ok"
        assert b"content-length: 10\r\n" in origin.requests[0].lower()
        assert origin.requests[1] == b"helloworld"

    run_conversation(conversation, reads_content(b"world"))


def test_content_without_a_length_is_sent_in_chunks() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", method="POST", end_stream=False)
        client.send_data(stream, b"hello", end_stream=True)
        assert (await client.response(stream)).content == b"ok"
        assert b"transfer-encoding: chunked\r\n" in origin.requests[0].lower()
        assert origin.requests[1] == b"5\r\nhello\r\n0\r\n\r\n"

    run_conversation(conversation, reads_content(b"0\r\n\r\n"))


def test_padding_is_not_content_but_counts_for_the_window() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", ("content-length", "5"), method="POST", end_stream=False)
        client.send_frame(frames.DATA, frames.PADDED | frames.END_STREAM, stream, b"\x03hello" + bytes(3))
        assert (await client.response(stream)).content == b"ok"
        assert origin.requests[1] == b"hello"

    run_conversation(conversation, reads_content(b"hello"))


def test_trailers_of_a_request_end_its_content_and_are_dropped() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", method="POST", end_stream=False)
        client.send_data(stream, b"hello")
        block = client.block([("x-sum", "1"), ("content-length", "99")])
        client.client.send(frames.header_frames(stream, block, end_stream=True))
        assert (await client.response(stream)).content == b"ok"
        assert origin.requests[1] == b"5\r\nhello\r\n0\r\n\r\n"

    run_conversation(conversation, reads_content(b"0\r\n\r\n"))


@pytest.mark.parametrize(
    ("lines", "end_stream"), [([(":path", "/b")], True), ([("x-sum", "1")], False), ([("X-Sum", "1")], True)]
)
def test_malformed_trailers_reset_the_stream(lines: list[tuple[str, str]], *, end_stream: bool) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", method="POST", end_stream=False)
        client.client.send(frames.header_frames(stream, client.block(lines), end_stream=end_stream))
        assert (await client.response(stream)).reset == ErrorCode.PROTOCOL_ERROR
        assert (await client.fetch("/b")).content == b"/b"  # both sides have the same table still

    run_conversation(conversation, echo_path)


@pytest.mark.parametrize(("declared", "sent"), [("3", b"hello"), ("0", b"hello"), ("9", b"hello")])
def test_content_that_is_not_as_long_as_declared_resets_the_stream_and_the_fetch(declared: str, sent: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", ("content-length", declared), method="POST", end_stream=False)
        client.send_data(stream, sent, end_stream=True)
        assert (await client.response(stream)).reset == ErrorCode.PROTOCOL_ERROR
        assert client.goaway is None

    run_conversation(conversation, reads_until_cut)


def test_a_declared_length_without_content_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        assert (await client.fetch("/a", ("content-length", "5"), method="POST")).status == 400
        assert not origin.requests

    run_conversation(conversation, endless)


# ---- flow control


def test_a_client_may_send_no_more_than_the_origin_takes() -> None:
    ready = asyncio.Event()

    async def reads_late(peer: Peer) -> None:
        await peer.request()
        await ready.wait()
        await peer._reader.readexactly(UPLOAD)
        await peer.send(OK)
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", ("content-length", str(UPLOAD)), method="POST", end_stream=False)
        await until(lambda: len(origin.requests) == 1)
        sent = 0

        async def send_what_is_allowed() -> int:
            nonlocal sent
            while sent < UPLOAD:
                allowed = min(50_000 + client.windows.get(stream, 0), 65_535 + client.windows.get(0, 0)) - sent
                if allowed <= 0:
                    return sent
                part = min(allowed, UPLOAD - sent, frames.MAX_FRAME)
                client.send_data(stream, b"x" * part, end_stream=sent + part == UPLOAD)
                sent += part
                await client.roundtrip()
            return sent

        before = -1
        while before != (before := await send_what_is_allowed()):
            for _ in range(5):
                await client.roundtrip()
        assert before < UPLOAD  # the sockets took some of it
        ready.set()
        while await send_what_is_allowed() < UPLOAD:
            await client.read_frame()
        assert (await client.response(stream)).content == b"ok"

    run_conversation(conversation, reads_late, http2=WINDOWS)


def test_more_content_than_the_window_allows_ends_the_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", method="POST", end_stream=False)
        await until(lambda: len(origin.requests) == 1)
        for _ in range(2**23 // frames.MAX_FRAME):
            client.send_data(stream, b"x" * frames.MAX_FRAME)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.FLOW_CONTROL_ERROR

    run_conversation(conversation, silent, http2=WINDOWS)


def test_content_that_the_origin_did_not_want_does_not_use_up_the_window() -> None:
    async def refuses(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await peer.closed_after_data()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for _ in range(10):
            stream = client.ask("/a", method="POST", end_stream=False)
            client.send_data(stream, b"x" * frames.MAX_FRAME)
            response = await client.response(stream)
            assert response.status == 413
            client.send_data(stream, b"x" * 1000, end_stream=True)
            await client.roundtrip()
        assert client.windows[0] > 8 * frames.MAX_FRAME

    run_conversation(conversation, refuses, http2=WINDOWS)


def test_a_response_may_come_before_the_end_of_the_content() -> None:
    async def answers_each_chunk(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for _ in range(3):
            chunk = await peer.request(b"!\r\n")
            await peer.send(chunk)
        await peer.request(b"0\r\n\r\n")
        await peer.send(b"0\r\nGrpc-Status: 0\r\n\r\n")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/chat", ("te", "trailers"), method="POST", end_stream=False)
        for number, expected in enumerate((b"0!", b"0!1!", b"0!1!2!")):
            client.send_data(stream, b"%d!" % number)
            while client.streams.get(stream) is None or client.streams[stream].content != expected:
                await client.read_frame()
        client.send_data(stream, b"", end_stream=True)
        response = await client.response(stream)
        assert response.heads[-1] == {"grpc-status": "0"}

    run_conversation(conversation, answers_each_chunk)


def test_a_client_that_resets_a_request_ends_its_exchange_with_the_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", method="POST", end_stream=False)
        client.send_data(stream, b"hello")
        await until(lambda: len(origin.requests) == 1)
        client.reset(stream)
        await until(lambda: origin.requests[-1] == b"cut")

    run_conversation(conversation, reads_until_cut)


def test_uploads_that_hold_the_whole_window_are_ended_in_place_of_the_one_that_waits_for_it() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.ask("/holds/the/only/connection")
        await until(lambda: len(origin.requests) == 1)
        most, less, innocent = [client.ask("/a", method="POST", end_stream=False) for _ in range(3)]
        for stream, size in ((most, WINDOWS["stream_window"]), (less, 20_000)):
            for start in range(0, size, 10_000):
                client.send_data(stream, bytes(min(10_000, size - start)))
        await client.roundtrip()
        for seconds in (2, 5, 10):
            pass_time(front_end, seconds)
        assert (await client.response(most)).reset == ErrorCode.CANCEL
        client.send_data(innocent, b"hello")
        await client.roundtrip()
        assert client.windows[0] >= WINDOWS["stream_window"]
        assert not client.streams.get(less, Received()).finished
        assert not client.streams.get(innocent, Received()).finished

    run_conversation(conversation, silent, http2=WINDOWS, origin={"max_connections": 1})


def test_an_upload_that_may_not_send_is_not_blamed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.ask("/holds/the/only/connection")
        await until(lambda: len(origin.requests) == 1)
        holder, innocent = [client.ask("/a", method="POST", end_stream=False) for _ in range(2)]
        for _ in range(7):
            client.send_data(holder, bytes(10_000))
        await client.roundtrip()
        pass_time(front_end, STALL_TIMEOUT + 1)
        await client.roundtrip()
        assert not client.streams.get(innocent, Received()).finished

    windows = {"stream_window": 70_000, "connection_window": 70_000}
    run_conversation(conversation, silent, http2=windows, origin={"max_connections": 1})
