"""Streams (event streams, long polls): sent on at once, one for each client, and ended with their client."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, authority_of, get, request_head, run_conversation
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, SHORT_TIMEOUT, Peer, RawOrigin
from tests.fixtures.until import until

ACCEPT = "Accept: text/event-stream"
EVENT_STREAM = CHUNKED.replace(HEAD, HEAD + b"Cache-Control: max-age=60\r\nContent-Type: text/event-stream\r\n")
EVENT = b"9\r\ndata: 1\n\n\r\n"


async def streams(peer: Peer) -> None:
    """Send one event for each request, and note in `requests` when the proxy closes the connection."""
    await peer.request()
    await peer.send(EVENT_STREAM + EVENT)
    await peer.closed_after_data()
    peer._requests.append(b"cut")


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.closed_after_data()
    peer._requests.append(b"cut")


@pytest.mark.parametrize("lines", [(), (ACCEPT,)], ids=["no Accept", "Accept"])
def test_each_client_has_a_stream_of_its_own_and_gets_its_events_at_once(lines: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        first, second = await front_end.client(), await front_end.client()
        for number, client in enumerate((first, second), 1):
            client.send(get(origin, "/", *lines))
            assert b"text/event-stream" in await client.head()
            assert await client.read(len(EVENT)) == EVENT
            assert len(origin.requests) == number

    run_conversation(conversation, streams)


def test_a_request_for_a_stream_does_not_wait_for_another_one() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        clients = [await front_end.client() for _ in range(3)]
        for client in clients:
            client.send(get(origin, "/", ACCEPT))
        await until(lambda: len(origin.requests) == 3)

    run_conversation(conversation, silent, cache={"collapse_timeout": 1e6})


@pytest.mark.row("SEC-22")
@pytest.mark.parametrize("script", [streams, silent], ids=["within the body", "before the head"])
@pytest.mark.parametrize("ends", ["disconnect", "end_sending"])
def test_a_client_that_leaves_a_stream_ends_it_at_the_origin(ends: str, script: object) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/", ACCEPT))
        await until(lambda: bool(origin.requests))
        if script is streams:
            await client.head()
        getattr(client, ends)()
        await until(lambda: origin.requests[-1] == b"cut")
        assert not front_end.entries()

    run_conversation(conversation, script)


@pytest.mark.parametrize("line", [ACCEPT, "Prefer: wait=300", "Accept: application/x-ndjson"])
def test_a_stream_may_be_silent_for_longer_than_other_responses(line: str) -> None:
    may_answer = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await may_answer.wait()
        await peer.send(EVENT_STREAM + EVENT)
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        other, client = await front_end.client(), await front_end.client()
        client.send(get(origin, "/poll", line))
        await until(lambda: len(origin.requests) == 1)
        assert (await other.fetch(get(origin, "/page"))).status == 504  # so long, the poll has waited too
        may_answer.set()
        assert (await client.head()).startswith(b"HTTP/1.1 200")

    run_conversation(conversation, slow, origin={"first_byte_timeout": SHORT_TIMEOUT})


def test_the_events_of_a_stream_may_be_far_apart() -> None:
    next_event = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENT_STREAM + EVENT)
        await next_event.wait()
        await peer.send(EVENT)
        await peer.client_closed()

    async def stops(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: 9\r\n\r\nhalf")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, other = await front_end.client(), await front_end.client()
        client.send(get(origin))
        await client.head()
        assert await client.read(len(EVENT)) == EVENT
        assert (await other.fetch(get(origin, "/other"))).cut  # so long, the stream was silent too
        next_event.set()
        assert await client.read(len(EVENT)) == EVENT

    run_conversation(conversation, slow, stops, origin={"between_bytes_timeout": SHORT_TIMEOUT})


def test_a_client_of_http_1_0_gets_a_stream_as_it_comes() -> None:
    """Other content without a length is read to its end first, to declare its length."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        authority = authority_of(origin)
        client.send(request_head(f"GET http://{authority}/ HTTP/1.0", f"Host: {authority}"))
        await client.head()
        assert await client.read(9) == b"data: 1\n\n"

    run_conversation(conversation, streams)


def test_a_stream_that_is_being_stored_is_for_one_client_and_ends_with_it() -> None:
    """Records without a length may be a finished file, which is stored, or a stream, whose storing would not end."""

    async def records(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENT_STREAM.replace(b"text/event-stream", b"application/x-ndjson") + EVENT)
        await peer.closed_after_data()
        peer._requests.append(b"cut")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        first, second = await front_end.client(), await front_end.client()
        for number, client in enumerate((first, second), 1):
            client.send(get(origin))
            assert b"; stored" in await client.head()
            assert len(origin.requests) == number
        first.disconnect()
        second.disconnect()
        await until(lambda: origin.requests[2:] == [b"cut", b"cut"])
        assert not front_end.entries()

    run_conversation(conversation, records)


def test_a_request_with_a_slow_response_that_ends_is_not_a_stream() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin))
        client.end_sending()
        assert (await client.response()).body == b"ok"

    async def answers(peer: Peer) -> None:
        await peer.request()
        await asyncio.sleep(0.01)
        await peer.send(OK)
        await peer.client_closed()

    run_conversation(conversation, answers)


def test_the_storing_of_a_response_without_a_length_ends_some_time_after_its_last_reader_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have no end, although nothing says that it is a stream."""
    monkeypatch.setattr("addon.pipeline.fill.MAX_UNREAD_SECONDS", SHORT_TIMEOUT)

    async def endless(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while not peer._reader.at_eof():
                await peer.send(EVENT)
                await asyncio.sleep(0.001)
        finally:  # a reset raises ConnectionError
            peer._requests.append(b"cut")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        first, second = await front_end.client(), await front_end.client()
        for client in (first, second):
            client.send(get(origin))
            await client.head()
        first.disconnect()
        await until(lambda: len(front_end.connections) == 1)
        await asyncio.sleep(2 * SHORT_TIMEOUT)
        assert len(origin.requests) == 1  # the second client still reads
        second.disconnect()
        await until(lambda: origin.requests[1:] == [b"cut"])

    run_conversation(conversation, endless)
