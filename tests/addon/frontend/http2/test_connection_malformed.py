"""Frames that break a rule of HTTP/2, and requests that are refused with a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_tls,
    echo_path,
    get,
    origin_tls,
    run_conversation,
    silent,
)
from tests.addon.frontend.http2.http2_client import Http2Client, http2_client, http2_client_in_tunnel
from tests.fixtures.raw_origin import RawOrigin, endless

Send = Callable[[Http2Client], object]

WRONG: dict[str, tuple[ErrorCode, Send]] = {
    "DATA of no stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.DATA, 0, 0, b"x")),
    "DATA of an idle stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.DATA, 0, 9, b"x")),
    "HEADERS of no stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.HEADERS, 5, 0, b"\x82")),
    "HEADERS of an even stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.HEADERS, 5, 2, b"\x82")),
    "a header block that is not HPACK": (
        ErrorCode.COMPRESSION_ERROR,
        lambda c: c.send_frame(frames.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff"),
    ),
    "a header block that ends early": (
        ErrorCode.COMPRESSION_ERROR,
        lambda c: c.send_frame(frames.HEADERS, 5, 1, b"\x40\x0aab"),
    ),
    "a reference behind the table": (
        ErrorCode.COMPRESSION_ERROR,
        lambda c: c.send_frame(frames.HEADERS, 5, 1, b"\xfe"),
    ),
    "a table that is larger than allowed": (
        ErrorCode.COMPRESSION_ERROR,
        lambda c: c.send_frame(frames.HEADERS, 5, 1, b"\x3f\xff\xff\x03"),
    ),
    "CONTINUATION of nothing": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.CONTINUATION, 4, 1)),
    "a frame inside a header block": (
        ErrorCode.PROTOCOL_ERROR,
        lambda c: (c.send_frame(frames.HEADERS, 0, 1), c.send_frame(frames.PING, 0, 0, bytes(8))),
    ),
    "CONTINUATION of another stream": (
        ErrorCode.PROTOCOL_ERROR,
        lambda c: (c.send_frame(frames.HEADERS, 0, 1), c.send_frame(frames.CONTINUATION, 4, 3)),
    ),
    "more padding than payload": (
        ErrorCode.PROTOCOL_ERROR,
        lambda c: c.send_frame(frames.HEADERS, 5 | frames.PADDED, 1, b"\x09abc"),
    ),
    "PRIORITY of no stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.PRIORITY, 0, 0, bytes(5))),
    "RST_STREAM of no stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.RST_STREAM, 0, 0, bytes(4))),
    "RST_STREAM of an idle stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.reset(9)),
    "RST_STREAM of a wrong length": (
        ErrorCode.FRAME_SIZE_ERROR,
        lambda c: c.send_frame(frames.RST_STREAM, 0, 1, bytes(3)),
    ),
    "SETTINGS of a stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.SETTINGS, 0, 1)),
    "a part of a setting": (ErrorCode.FRAME_SIZE_ERROR, lambda c: c.send_frame(frames.SETTINGS, 0, 0, bytes(5))),
    "an acknowledgement with settings": (
        ErrorCode.FRAME_SIZE_ERROR,
        lambda c: c.send_frame(frames.SETTINGS, frames.ACK, 0, bytes(6)),
    ),
    "a window that is too large": (
        ErrorCode.FLOW_CONTROL_ERROR,
        lambda c: c.client.send(frames.settings_frame({settings.INITIAL_WINDOW_SIZE: 2**31})),
    ),
    "a push that is neither on nor off": (
        ErrorCode.PROTOCOL_ERROR,
        lambda c: c.client.send(frames.settings_frame({settings.ENABLE_PUSH: 2})),
    ),
    "a frame size that is too small": (
        ErrorCode.PROTOCOL_ERROR,
        lambda c: c.client.send(frames.settings_frame({settings.MAX_FRAME_SIZE: 100})),
    ),
    "PUSH_PROMISE": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.PUSH_PROMISE, 4, 1, bytes(4))),
    "PING of a stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.PING, 0, 1, bytes(8))),
    "PING of a wrong length": (ErrorCode.FRAME_SIZE_ERROR, lambda c: c.send_frame(frames.PING, 0, 0, bytes(7))),
    "GOAWAY of a stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.send_frame(frames.GOAWAY, 0, 1, bytes(8))),
    "WINDOW_UPDATE of nothing": (ErrorCode.PROTOCOL_ERROR, lambda c: c.widen(0, 0)),
    "WINDOW_UPDATE of an idle stream": (ErrorCode.PROTOCOL_ERROR, lambda c: c.widen(9, 1)),
    "WINDOW_UPDATE of a wrong length": (
        ErrorCode.FRAME_SIZE_ERROR,
        lambda c: c.send_frame(frames.WINDOW_UPDATE, 0, 0, bytes(5)),
    ),
    "a window that grows too large": (ErrorCode.FLOW_CONTROL_ERROR, lambda c: c.widen(0, 2**31 - 1)),
    "a long frame": (ErrorCode.FRAME_SIZE_ERROR, lambda c: c.send_frame(frames.DATA, 0, 1, bytes(16_385))),
}


@pytest.mark.parametrize(("code", "send"), WRONG.values(), ids=WRONG.keys())
def test_a_frame_that_breaks_a_rule_ends_the_connection(code: ErrorCode, send: Send) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        send(client)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == code
        assert client.goaway[1].startswith("http2-protocol: ")
        assert not origin.requests

    run_conversation(conversation, endless)


def test_the_first_frame_must_be_settings() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.client(), authority_of(origin), "http")
        client.client.send(frames.PREFACE)
        client.ask("/a")
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.PROTOCOL_ERROR
        assert not origin.requests

    run_conversation(conversation, endless)


def test_bytes_that_only_begin_like_the_preface_end_the_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.client(), authority_of(origin), "http")
        client.client.send(b"PRI * HTTP/2.0\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.PROTOCOL_ERROR

    run_conversation(conversation, endless)


@pytest.mark.parametrize("before", ["/fresh", "/a"], ids=["hit", "miss"])
def test_a_preface_after_a_request_over_http1_is_refused(before: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        if before == "/fresh":
            await (await front_end.client()).fetch(get(origin, before))
            await (await front_end.client()).fetch(get(origin, before))
        client = await front_end.client()
        client.send(get(origin, before) + frames.PREFACE + frames.settings_frame({}))
        await client.response()
        refusal = await client.response()
        assert refusal.status == 400
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)], ids=["no ALPN", "http/1.1"])
def test_a_preface_inside_tls_without_h2_is_refused(protocols: tuple[str, ...]) -> None:
    """RFC 9113 §3.3: HTTP/2 over TLS is negotiated by ALPN."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls(*protocols))
        client.send(frames.PREFACE + frames.settings_frame({}))
        assert (await client.response()).status == 400
        assert not origin.requests

    run_conversation(conversation, endless)


def test_a_preface_after_an_empty_line_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"\r\n" + frames.PREFACE)
        assert (await client.response()).status == 400

    run_conversation(conversation, endless)


def test_a_client_that_selected_http2_and_speaks_http1_is_closed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client_in_tunnel(front_end, origin)
        client.client.send(get(origin, "/a"))
        await client.until_closed()
        assert client.goaway is not None
        assert not origin.requests

    run_conversation(conversation, endless, secure=origin_tls())


# ---- what concerns one stream only


def test_a_malformed_request_gets_400_with_a_reason_and_the_connection_goes_on() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        refused = await client.fetch("/a", ("connection", "close"))
        assert refused.status == 400
        assert b"reason: malformed-request\n" in refused.content
        assert "http_request_error" in refused.heads[0]["proxy-status"]
        assert (await client.fetch("/b")).content == b"/b"

    run_conversation(conversation, echo_path)


def test_a_malformed_request_with_content_gets_400_and_its_content_is_dropped() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a", ("X-Capital", "1"), method="POST", end_stream=False)
        client.send_data(stream, b"GET /evil HTTP/1.1\r\n\r\n", end_stream=True)
        assert (await client.response(stream)).status == 400
        assert (await client.fetch("/b")).content == b"/b"
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


def test_data_behind_the_end_of_a_request_resets_its_stream() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a")
        client.send_data(stream, b"x")
        assert (await client.response(stream)).reset == ErrorCode.STREAM_CLOSED
        assert client.goaway is None

    run_conversation(conversation, silent)


def test_a_window_update_of_nothing_resets_its_stream() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a")
        client.widen(stream, 0)
        assert (await client.response(stream)).reset == ErrorCode.PROTOCOL_ERROR
        assert client.goaway is None

    run_conversation(conversation, silent)


@pytest.mark.parametrize("kind", [frames.PRIORITY, frames.RST_STREAM, frames.WINDOW_UPDATE, frames.DATA])
def test_frames_that_cross_the_end_of_a_stream_are_ignored(kind: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a")
        await client.response(stream)
        payload = bytes(5) if kind == frames.PRIORITY else b"\0\0\0\1"
        client.send_frame(kind, 0, stream, payload)
        assert (await client.fetch("/b")).content == b"/b"

    run_conversation(conversation, echo_path)


def test_a_request_may_have_priority_padding_and_continuation() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream, block = client.next_stream(), client.block(client.head("/a"))
        flags = frames.END_STREAM | frames.PADDED | frames.WITH_PRIORITY
        client.send_frame(frames.HEADERS, flags, stream, b"\x03" + bytes(5) + block[:9] + bytes(3))
        client.send_frame(frames.CONTINUATION, 0, stream, block[9:11])
        client.send_frame(frames.CONTINUATION, frames.END_HEADERS, stream, block[11:])
        assert (await client.response(stream)).content == b"/a"

    run_conversation(conversation, echo_path)


def test_an_unknown_frame_is_ignored() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.send_frame(0xFA, 0xFF, 7, b"what is this")
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, echo_path)
