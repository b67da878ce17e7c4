"""Stored content on streams: it is loaded when the client takes it, and for few streams at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from addon.frontend.client_gone import ClientGone
from addon.frontend.http2.stream import Stream
from addon.origin.http2.flow_control import DEFAULT_WINDOW
from addon.origin.http2.outbound import Outbound
from tests.addon.frontend.http2.test_stream import Owner, Sink

SIZE = 10_000
"""Bytes of a chunk."""


class Chunks:
    """Three chunks; counts how many of them were loaded."""

    def __init__(self) -> None:
        self.loaded = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            self.loaded += 1
            yield bytes(SIZE)


class Connection:
    """A connection of which two streams may load at a time."""

    def __init__(self) -> None:
        self.outbound = Outbound(Sink(), lambda: None)
        self._owner = Owner(self.outbound)

    def stream(self, number: int, window: int = 2**20) -> Stream:
        """Return a stream whose response has begun."""
        made = Stream(number, self._owner, lambda _: None, window=window, upload_window=1, upload=None)
        made.send_headers(b"block", end_stream=False)
        return made

    async def widen(self, stream: Stream, increment: int) -> None:
        stream.window.grow(increment)
        self.outbound.wake(stream)
        await settle()


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def run(test: Callable[[Connection], Awaitable[None]]) -> None:
    async def main() -> None:
        await test(Connection())

    asyncio.run(main())


def sending(stream: Stream, chunks: Chunks) -> asyncio.Future[int]:
    return asyncio.ensure_future(stream.send_stored(aiter(chunks)))


def test_a_chunk_is_loaded_once_there_is_room_for_some_of_it() -> None:
    async def test(connection: Connection) -> None:
        stream, chunks = connection.stream(1, window=0), Chunks()
        sent = sending(stream, chunks)
        await settle()
        assert (chunks.loaded, stream.unread > 0) == (0, True)
        await connection.widen(stream, 1)
        assert chunks.loaded == 1
        await connection.widen(stream, 3 * SIZE)
        assert (await sent, stream.unread) == (3 * SIZE, 0)

    run(test)


def test_few_streams_have_a_chunk_while_the_client_reads_nothing() -> None:
    async def test(connection: Connection) -> None:
        connection.outbound.window.size = SIZE // 2
        loads = [Chunks() for _ in range(10)]
        sent = [sending(connection.stream(number), chunks) for number, chunks in enumerate(loads)]
        await settle()
        assert sum(chunks.loaded for chunks in loads) == 2
        while not all(each.done() for each in sent):
            connection.outbound.window.grow(SIZE)
            connection.outbound.wake_waiting()
            await settle()
            assert sum(chunks.loaded for chunks in loads) * SIZE <= connection.outbound.content_sent + 2 * SIZE
        assert connection.outbound.content_sent == 10 * 3 * SIZE

    run(test)


def test_a_stream_with_a_small_window_of_its_own_lets_others_load() -> None:
    async def test(connection: Connection) -> None:
        stuck = [sending(connection.stream(number, window=10), Chunks()) for number in range(5)]
        assert await sending(connection.stream(5), Chunks()) == 3 * SIZE
        assert not any(each.done() for each in stuck)
        for each in stuck:
            each.cancel()

    run(test)


def test_a_stream_that_waits_to_load_is_stalled_if_the_client_reads_nothing() -> None:
    async def test(connection: Connection) -> None:
        connection.outbound.window.size = 1
        streams = [connection.stream(number) for number in range(4)]
        sent = [sending(stream, Chunks()) for stream in streams]
        await settle()
        assert all(stream.is_stalled() for stream in streams)
        connection.outbound.content_sent += DEFAULT_WINDOW
        assert not any(stream.is_stalled() for stream in streams)
        for each in sent:
            each.cancel()

    run(test)


@pytest.mark.parametrize("window", [0, 1, 2**20], ids=["for room", "for more room", "for others"])
def test_a_stream_that_is_reset_while_it_waits_ends(window: int) -> None:
    async def test(connection: Connection) -> None:
        connection.outbound.window.size = 1
        others = [sending(connection.stream(number), Chunks()) for number in (5, 7)]
        await settle()
        stream = connection.stream(1, window=window)
        sent = sending(stream, Chunks())
        await settle()
        stream.end("reset")
        connection.outbound.window.grow(DEFAULT_WINDOW * 2)
        connection.outbound.wake_waiting()
        with pytest.raises(ClientGone):
            await sent
        assert await asyncio.gather(*others) == [3 * SIZE, 3 * SIZE]

    run(test)


def test_few_streams_have_a_chunk_with_windows_that_are_a_little_smaller() -> None:
    """As by default: the windows have 65,535 bytes, and a chunk has one more."""

    async def test(connection: Connection) -> None:
        connection.outbound.window.size = SIZE - 1
        loads = [Chunks() for _ in range(10)]
        sent = [sending(connection.stream(number, window=SIZE - 1), chunks) for number, chunks in enumerate(loads)]
        await settle()
        assert sum(chunks.loaded for chunks in loads) == 2
        for each in sent:
            each.cancel()

    run(test)


def test_a_stream_that_waits_for_a_slow_store_is_not_stalled() -> None:
    async def test(connection: Connection) -> None:
        async def never() -> AsyncIterator[bytes]:
            await asyncio.Event().wait()
            yield b""

        streams = [connection.stream(number) for number in range(3)]
        sent = [asyncio.ensure_future(stream.send_stored(never())) for stream in streams]
        await settle()
        assert not any(stream.is_stalled() for stream in streams)
        for each in sent:
            each.cancel()

    run(test)
