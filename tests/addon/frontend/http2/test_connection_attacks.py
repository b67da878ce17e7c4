"""Attacks on an HTTP/2 connection. Each ends in GOAWAY, and costs the other clients nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from addon.frontend.http2.limits import RESPONSES_PER_TURN, WORK_PER_TURN
from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, run_conversation, silent
from tests.addon.frontend.http2.http2_client import Http2Client, Received, http2_client
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, endless
from tests.fixtures.until import until

FEW: dict[str, Any] = {
    "resets": 20,
    "resets_per_second": 0,
    "control_frames": 20,
    "control_frames_per_second": 0,
}
"""Settings by which budgets are soon spent."""


def pings(client: Http2Client) -> None:
    client.send_frame(frames.PING, 0, 0, b"12345678")


def settings_frames(client: Http2Client) -> None:
    client.client.send(frames.settings_frame({settings.MAX_CONCURRENT_STREAMS: 100}))


def empty_settings(client: Http2Client) -> None:
    client.client.send(frames.settings_frame({}))


def priorities(client: Http2Client) -> None:
    client.send_frame(frames.PRIORITY, 0, 1, bytes(5))


def unknown_frames(client: Http2Client) -> None:
    client.send_frame(0xFA, 0, 0, b"what is this")


def window_updates(client: Http2Client) -> None:
    client.widen(0, 1)


def goaways(client: Http2Client) -> None:
    client.send_frame(frames.GOAWAY, 0, 0, bytes(8))


@pytest.mark.parametrize(
    "send", [pings, settings_frames, empty_settings, priorities, unknown_frames, window_updates, goaways]
)
def test_a_flood_of_control_frames_ends_in_goaway(send: Callable[[Http2Client], None]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.ask()  # under way to the end
        for _ in range(100):
            send(client)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM
        assert client.goaway[1].startswith("http2-control-frames: ")
        assert front_end.service.counters.snapshot()["disconnected.http2-control-frames"] == 1

    run_conversation(conversation, silent, http2=FEW)


@pytest.mark.parametrize("padding", [None, 0, 255])
def test_a_flood_of_empty_data_ends_in_goaway(padding: int | None) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask(method="POST", end_stream=False)
        for _ in range(100):
            if padding is None:
                client.send_data(stream, b"")
            else:
                client.send_frame(frames.DATA, frames.PADDED, stream, bytes([padding]) + bytes(padding))
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM

    run_conversation(conversation, silent, http2=FEW)


def test_a_settings_frame_with_thousands_of_settings_ends_in_goaway() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.send_frame(frames.SETTINGS, 0, 0, b"\x00\x03\x00\x00\x00\x64" * 2700)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM

    run_conversation(conversation, endless)


def test_frames_on_streams_that_have_ended_end_in_goaway() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/a")
        await client.response(stream)
        for _ in range(100):
            client.send_data(stream, b"x")
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM

    run_conversation(conversation, echo_path, http2=FEW)


def test_window_updates_that_follow_from_content_are_no_flood() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for _ in range(100):
            stream = client.ask("/fresh")
            assert (await client.response(stream)).status in (200, 203)
            client.widen(0, 6)
        assert client.goaway is None

    run_conversation(conversation, echo_path, http2=FEW)


# ---- resets (CVE-2023-44487)


def test_rapid_reset_ends_in_goaway_and_asks_the_origin_hardly_anything() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for number in range(200):
            client.reset(client.ask(f"/{number}"))
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM
        assert client.goaway[1].startswith("http2-resets: ")
        assert len(origin.requests) <= 20 * 2 // WORK_PER_TURN + 1

    run_conversation(conversation, endless, http2=FEW)


def test_requests_that_the_proxy_has_to_reset_end_in_goaway() -> None:
    """CVE-2025-8671."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for number in range(200):
            client.widen(client.ask(f"/{number}"), 0)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM
        assert client.goaway[1].startswith("http2-resets: ")
        assert len(origin.requests) <= FEW["resets"]

    run_conversation(conversation, silent, http2=FEW | {"control_frames": 1000})


def test_requests_that_are_reset_a_little_later_are_not_all_begun() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        streams = [client.ask(f"/{number}") for number in range(100)]
        for stream in streams:
            client.reset(stream)
        await client.roundtrip()
        assert len(origin.requests) <= 4 * RESPONSES_PER_TURN
        assert client.goaway is None

    run_conversation(conversation, silent)


def test_a_request_that_is_reset_frees_its_connection_to_the_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        streams = [client.ask(f"/{number % 3}") for number in range(6)]  # two of each, of which one waits for the other
        await until(lambda: len(origin.requests) == 2)
        for stream in streams:
            client.reset(stream)
        assert (await client.fetch("/a", method="DELETE")).content == b"/a"

    run_conversation(conversation, silent, silent, echo_path, origin={"max_connections": 2})


def test_a_request_that_is_reset_goes_on_while_another_waits_for_its_response() -> None:
    answered = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        await answered.wait()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        first, second = client.ask("/a"), client.ask("/a")
        await until(lambda: len(origin.requests) == 1)
        client.reset(first)
        await client.roundtrip()
        answered.set()
        assert (await client.response(second)).content == b"ok"
        assert len(origin.requests) == 1

    run_conversation(conversation, waits)


def test_a_client_may_reset_some_streams() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for number in range(FEW["resets"]):
            client.reset(client.ask(f"/{number}"))
        assert (await client.fetch("/a")).content == b"/a"

    run_conversation(conversation, echo_path, http2=FEW)


def test_too_many_streams_are_refused_and_then_end_in_goaway() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        streams = [client.ask(f"/{number}") for number in range(6)]
        assert [(await client.response(stream)).reset for stream in streams[4:]] == [ErrorCode.REFUSED_STREAM] * 2
        for number in range(100):
            client.ask(f"/{number}")
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM

    run_conversation(conversation, silent, http2=FEW | {"streams": 4})


def test_malformed_requests_end_in_goaway() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for _ in range(100):
            client.ask("/", ("X-Capital", "1"))
        await client.until_closed()
        assert client.streams[1].status == 400
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM

    run_conversation(conversation, endless, http2=FEW)


# ---- header blocks


@pytest.mark.parametrize("part", [b"\x00\x01a\x01b" * 1000, b""], ids=["long", "empty"])
def test_continuation_frames_without_end_end_in_goaway(part: bytes) -> None:
    """CVE-2024-27316."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        client.send_frame(frames.HEADERS, 0, 1, client.block(client.head()))
        for _ in range(100):
            client.send_frame(frames.CONTINUATION, 0, 1, part)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM
        assert client.goaway[1].startswith("http2-continuations: ")
        assert not origin.requests

    run_conversation(conversation, endless)


def test_a_header_list_that_is_large_once_it_is_decoded_is_a_431_and_ends_in_goaway() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = client.ask("/", *[("x", "y" * 3900)] * 60)
        await client.until_closed()
        assert client.streams[stream].status == 431
        assert client.goaway is not None
        assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM
        assert client.goaway[1].startswith("http2-header-list: ")
        assert not origin.requests

    run_conversation(conversation, endless)


def test_requests_whose_heads_are_too_large_together_are_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        streams = [client.ask(f"/{number}", ("x", "y" * 8000)) for number in range(40)]
        await client.roundtrip()
        refused = [stream for stream in streams if client.streams.get(stream, Received()).reset]
        assert refused == streams[32:]
        assert {client.streams[stream].reset for stream in refused} == {ErrorCode.REFUSED_STREAM}
        assert front_end.service.counters.snapshot()["streams_reset.http2-heads"] == len(refused)

    run_conversation(conversation, silent)


def test_many_short_fields_count_more_than_their_bytes() -> None:
    """A head of 1 KB with 150 fields took 30 KB of memory."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        fields = [(f"x{number}", "y") for number in range(150)]
        streams = [client.ask(f"/{number}", *fields) for number in range(20)]
        await client.roundtrip()
        refused = [stream for stream in streams if client.streams.get(stream, Received()).reset]
        assert refused == streams[11:]

    run_conversation(conversation, silent)


def test_a_hundred_requests_with_usual_heads_are_under_way_at_once() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        streams = [client.ask(f"/{number}", ("cookie", "y" * 2000)) for number in range(100)]
        assert [(await client.response(stream)).status for stream in streams] == [200] * 100

    run_conversation(conversation, echo_path)
