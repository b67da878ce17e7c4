"""A stream that the client has reset: nothing is sent on it any more, and its response ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from addon.frontend.client_gone import ClientGone
from addon.frontend.http2.stream import Stream
from addon.origin.http2.outbound import Outbound
from cache.http.messages import Response


class Sink(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False


class Owner:
    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self.loading = asyncio.Semaphore(2)

    def client_address(self) -> str:
        return "192.0.2.1"

    def now(self) -> float:
        return 0.0


def run(test: Callable[[Stream, Sink], Awaitable[None]], *, window: int = 100) -> None:
    async def main() -> None:
        sink = Sink()
        outbound = Outbound(sink, lambda: None)
        stream = Stream(1, Owner(outbound), lambda _: None, window=window, upload_window=100, upload=None)
        await test(stream, sink)

    asyncio.run(main())


def test_nothing_is_sent_on_a_stream_that_was_reset() -> None:
    async def test(stream: Stream, sink: Sink) -> None:
        stream.send_headers(b"block", end_stream=False)
        stream.end("reset")
        with pytest.raises(ClientGone):
            stream.send_headers(b"trailers", end_stream=True)
        for content in (b"content", b""):
            with pytest.raises(ClientGone):
                await stream.send_content(content, end_stream=True)
        stream.send_interim(Response(103, "Early Hints"))
        stream.end("reset again")
        await asyncio.sleep(0)
        assert b"block" in sink.written
        assert b"trailers" not in sink.written

    run(test)


def test_a_response_that_waits_for_a_window_ends_when_its_stream_is_reset() -> None:
    async def test(stream: Stream, sink: Sink) -> None:
        stream.send_headers(b"block", end_stream=False)
        sending = asyncio.ensure_future(stream.send_content(b"content", end_stream=True))
        await asyncio.sleep(0)
        stream.end("reset")
        with pytest.raises(ClientGone):
            await sending
        assert b"content" not in sink.written

    run(test, window=0)


def test_a_protocol_is_never_switched() -> None:
    async def test(stream: Stream, sink: Sink) -> None:
        stream.send_interim(Response(101, "Switching Protocols"))
        await asyncio.sleep(0)
        assert sink.written == b""

    run(test)
