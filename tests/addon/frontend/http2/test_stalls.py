"""The streams that are ended because they hold what others need."""

from __future__ import annotations

from addon.config.http2 import Http2Settings
from addon.frontend.http2.response_queue import START
from addon.frontend.http2.stalls import least_read, unread
from addon.frontend.http2.stream import Stream
from addon.origin.http2 import settings
from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.flow_control import DEFAULT_WINDOW
from addon.origin.reading import FIRST_PIECE
from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, large, run_conversation
from tests.addon.frontend.http2.http2_client import LARGE_WINDOW, Received, http2_client, pass_time
from tests.addon.frontend.http2.test_connection_deadlines import only
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.until import until

MANY = 60

LIMITS = Http2Settings()


def open_streams(front_end: FrontEndUnderTest) -> list[Stream]:
    return list(only(front_end).streams)


def test_a_client_that_reads_nothing_gets_few_responses_begun() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: 0})
        streams = [client.ask(f"/{number}") for number in range(MANY)]
        await until(lambda: unread(open_streams(front_end)) >= LIMITS.unread)
        assert len(origin.requests) <= START
        assert all(stream.unread <= FIRST_PIECE for stream in open_streams(front_end))
        for _ in range(2):
            pass_time(front_end, 2)
        await client.roundtrip()
        assert [stream for stream in streams if client.streams.get(stream, Received()).reset == ErrorCode.CANCEL]
        assert client.goaway is None
        assert front_end.service.counters.snapshot()["streams_reset.http2-unread"] >= 1

    run_conversation(conversation, large)


def test_responses_that_waited_are_begun_when_the_client_reads() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: 0})
        client.widen(0, LARGE_WINDOW)
        streams = [client.ask(f"/{number}") for number in range(MANY)]
        for stream in streams:
            client.widen(stream, 100)
        for number, stream in enumerate(streams):
            assert (await client.response(stream)).content == b"/%d" % number

    run_conversation(conversation, echo_path)


def test_a_client_that_reads_slowly_keeps_its_streams() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: LARGE_WINDOW})
        for number in range(8):
            client.ask(f"/{number}")
        allowed = DEFAULT_WINDOW
        for _ in range(4):
            allowed += 20_000
            client.widen(0, 20_000)
            while sum(len(received.content) for received in client.streams.values()) < allowed:
                await client.read_frame()
            pass_time(front_end, 2)
            assert least_read(open_streams(front_end), LIMITS.unread) is None
        assert not any(received.reset for received in client.streams.values())

    run_conversation(conversation, large)
