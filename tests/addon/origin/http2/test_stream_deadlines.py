"""The time limits of streams: each ends when its own time is over, with one timer for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from addon.origin.http2.stream_deadlines import StreamDeadlines
from tests.fixtures.until import settle, until


class Stream:
    """Notes that its time has ended."""

    def __init__(self, on_end: Callable[[Stream], None]) -> None:
        self._on_end = on_end

    def expire(self) -> None:
        self._on_end(self)


def ended_in(seconds: float, prepare: Callable[[StreamDeadlines, list[Stream], float], None]) -> list[int]:
    """Return which of three streams have ended after so many seconds, in order."""

    async def main() -> list[int]:
        deadlines, ended = StreamDeadlines(), list[Stream]()
        streams = [Stream(ended.append) for _ in range(3)]
        prepare(deadlines, streams, deadlines.now())
        await asyncio.sleep(seconds)
        await settle()
        deadlines.stop()
        return [streams.index(each) for each in ended]

    return asyncio.run(main())


def test_streams_end_in_the_order_of_their_times() -> None:
    def prepare(deadlines: StreamDeadlines, streams: list[Stream], now: float) -> None:
        for stream, seconds in zip(streams, (0.06, 0.02, 60.0), strict=True):
            deadlines.set_until(stream, now + seconds)

    assert ended_in(0.2, prepare) == [1, 0]


def test_a_time_can_be_moved_and_taken_away() -> None:
    def prepare(deadlines: StreamDeadlines, streams: list[Stream], now: float) -> None:
        for stream in streams:
            deadlines.set_until(stream, now + 0.02)
        deadlines.set_until(streams[0], now + 60)
        deadlines.clear(streams[1])

    assert ended_in(0.1, prepare) == [2]


def test_a_stream_that_another_one_has_ended_does_not_end_again() -> None:
    async def main() -> list[str]:
        deadlines, ended = StreamDeadlines(), list[str]()

        def end_both(_: Stream) -> None:
            ended.append("first")
            deadlines.clear(second)

        first, second = Stream(end_both), Stream(lambda _: ended.append("second"))
        for stream in (first, second):
            deadlines.set_until(stream, deadlines.now() + 0.01)
        await asyncio.sleep(0.1)
        await settle()
        return ended

    assert asyncio.run(main()) == ["first"]


def test_a_stream_may_get_time_again_when_another_ends() -> None:
    async def main() -> list[str]:
        deadlines, ended = StreamDeadlines(), list[str]()
        second = Stream(lambda _: ended.append("second"))
        first = Stream(lambda _: deadlines.set_until(second, deadlines.now() + 0.02))
        deadlines.set_until(first, deadlines.now() + 0.01)
        await until(lambda: bool(ended))
        await settle()
        return ended

    assert asyncio.run(main()) == ["second"]
