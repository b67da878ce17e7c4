"""Origins that break the rules of HTTP/2, or that demand more work than a response is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure
from addon.origin.http2 import frames, settings
from addon.origin.http2.faults import ErrorCode
from tests.fixtures.http2_origin import Http2Peer, ask, converse, data, http2
from tests.fixtures.origin_client import fetch_whole, whole
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.fixtures.throwaway_ca import ThrowawayCA

MANY = 4000


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return frames.frame(kind, flags, stream, payload)


FAULTS: dict[str, tuple[Callable[[Http2Peer], bytes], ErrorCode]] = {
    "PUSH_PROMISE": (lambda o: frame(5, 4, 1, b"\0\0\0\2" + o.block((":method", "GET"))), ErrorCode.PROTOCOL_ERROR),
    "a stream that was not opened": (lambda o: o.head(3), ErrorCode.PROTOCOL_ERROR),
    "an even stream": (lambda o: o.head(2), ErrorCode.PROTOCOL_ERROR),
    "HEADERS without a stream": (lambda o: o.head(0), ErrorCode.PROTOCOL_ERROR),
    "DATA without a stream": (lambda o: data(0, b"x"), ErrorCode.PROTOCOL_ERROR),
    "SETTINGS of a stream": (lambda o: frame(4, 0, 1), ErrorCode.PROTOCOL_ERROR),
    "half a setting": (lambda o: frame(4, 0, 0, b"123"), ErrorCode.FRAME_SIZE_ERROR),
    "a long acknowledgement": (lambda o: frame(4, 1, 0, b"123456"), ErrorCode.FRAME_SIZE_ERROR),
    "a window above the largest": (
        lambda o: frames.settings_frame({settings.INITIAL_WINDOW_SIZE: 2**31}),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "a small frame size": (lambda o: frames.settings_frame({settings.MAX_FRAME_SIZE: 1}), ErrorCode.PROTOCOL_ERROR),
    "PING of a stream": (lambda o: frame(6, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "a short PING": (lambda o: frame(6, 0, 0, b"1"), ErrorCode.FRAME_SIZE_ERROR),
    "GOAWAY of a stream": (lambda o: frame(7, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "a short GOAWAY": (lambda o: frame(7, 0, 0, b"1"), ErrorCode.FRAME_SIZE_ERROR),
    "a WINDOW_UPDATE of 0": (lambda o: frames.window_frame(0, 0), ErrorCode.PROTOCOL_ERROR),
    "a window that grows too large": (lambda o: frames.window_frame(0, 2**31 - 1), ErrorCode.FLOW_CONTROL_ERROR),
    "a short RST_STREAM": (lambda o: frame(3, 0, 1, b"1"), ErrorCode.FRAME_SIZE_ERROR),
    "PRIORITY without a stream": (lambda o: frame(2, 0, 0, bytes(5)), ErrorCode.PROTOCOL_ERROR),
    "a frame that is too long": (lambda o: frame(0, 0, 1, bytes(20_000)), ErrorCode.FRAME_SIZE_ERROR),
    "more padding than payload": (lambda o: o.head(1) + frame(0, 8, 1, b"\xff123"), ErrorCode.PROTOCOL_ERROR),
    "CONTINUATION of nothing": (lambda o: frame(9, 4, 1), ErrorCode.PROTOCOL_ERROR),
    "a block that is interrupted": (lambda o: frame(1, 0, 1) + frame(6, 0, 0, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "a block that is not HPACK": (lambda o: frame(1, 4, 1, b"\xff\xff\xff"), ErrorCode.COMPRESSION_ERROR),
    "endless CONTINUATION frames": (lambda o: frame(1, 0, 1) + frame(9, 0, 1) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "PINGs": (lambda o: frame(6, 0, 0, bytes(8)) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "SETTINGS": (lambda o: frame(4, 0, 0) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "acknowledgements of SETTINGS": (lambda o: frame(4, 1, 0) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "empty DATA": (lambda o: o.head(1) + frame(0, 0, 1) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "PRIORITY": (lambda o: frame(2, 0, 1, bytes(5)) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "unknown frames": (lambda o: frame(99, 0, 0) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "WINDOW_UPDATE": (lambda o: frames.window_frame(0, 1) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
    "RST_STREAM": (lambda o: frames.reset_frame(1, ErrorCode.CANCEL) * MANY, ErrorCode.ENHANCE_YOUR_CALM),
}


@pytest.mark.parametrize(("lie", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_an_origin_that_breaks_a_rule_is_told_so_and_the_response_fails(
    ca: ThrowawayCA, lie: Callable[[Http2Peer], bytes], code: ErrorCode
) -> None:
    codes: list[int] = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await fetch_whole(client, ask(origin))
        assert "localhost:" in caught.value.detail
        assert not caught.value.disconnected
        while not codes:
            await asyncio.sleep(0.01)

    async def script(origin: Http2Peer) -> None:
        await origin.request()
        await origin.send(lie(origin))
        codes.append(await origin.closed_with())

    converse(ca, conversation, http2(script))
    assert codes == [code]


@pytest.mark.parametrize("size", [20_000, 5_000], ids=["a block above max_head", "a list above it"])
def test_a_head_that_never_ends_is_a_head_that_is_too_large(ca: ThrowawayCA, size: int) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(origin))
        assert caught.value.kind is FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE
        assert "limits.max_head" in caught.value.detail

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        if size > 10_000:
            await origin.send(origin.head(request.number, *[(f"x{n}", "a~" * 500) for n in range(size // 500)]))
        else:  # fields of the table, which take a byte each (CVE-2016-6581)
            block = origin.block((":status", "200"), ("x", "a" * 2000)) + b"\xbe" * size
            await origin.send(frames.header_frames(request.number, block, end_stream=True))

    converse(ca, conversation, http2(script), max_head=8000)


def test_an_origin_that_agreed_to_http2_and_speaks_http1_is_named(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(origin))
        assert caught.value.kind is FailureKind.HTTP_PROTOCOL_ERROR
        assert caught.value.detail.endswith("does not speak HTTP/2")

    async def script(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.closed_after_data()

    converse(ca, conversation, script)


def test_content_for_a_stream_that_was_given_up_is_dropped_up_to_its_window(ca: ThrowawayCA) -> None:
    codes: list[int] = []

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(ask(origin, "/abandoned"))
        await response.close()
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask(origin, "/waits"))
        assert caught.value.kind is FailureKind.HTTP_PROTOCOL_ERROR
        while not codes:
            await asyncio.sleep(0.01)
        assert codes == [ErrorCode.STREAM_CLOSED]

    async def script(origin: Http2Peer) -> None:
        abandoned = await origin.request()
        await origin.send(origin.head(abandoned.number))
        await origin.reset_with()
        await origin.request()
        await origin.send(data(abandoned.number, bytes(1_000_000)))
        await origin.send(frame(frames.PING, 0, 0, bytes(8)))
        await origin.frame_of(frames.PING)  # it was taken
        await origin.send(data(abandoned.number, bytes(100_000)))
        codes.append(await origin.closed_with())

    converse(ca, conversation, http2(script))


def test_more_content_than_the_window_allows_is_a_fault(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(ask(origin))
        while not codes:
            await asyncio.sleep(0.01)  # without reading
        with pytest.raises(OriginFailure, match="sent more than the window allows"):
            await whole(response)

    codes: list[int] = []

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(origin.head(request.number) + data(request.number, bytes(1_100_000)))
        codes.append(await origin.closed_with())

    converse(ca, conversation, http2(script))
    assert codes == [ErrorCode.FLOW_CONTROL_ERROR]


def test_small_frames_without_end_do_not_stop_other_work(ca: ThrowawayCA) -> None:
    turns = 0

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        async def other_work() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        working = asyncio.create_task(other_work())
        response = await client.fetch(ask(origin))
        before = turns
        assert len(await whole(response)) == 20_000
        working.cancel()
        assert turns > before + 20

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        await origin.send(origin.head(request.number))
        await origin.send(data(request.number, b"x") * 20_000 + data(request.number, b"", end=True))

    converse(ca, conversation, http2(script))
