"""Responses that arrive in parts are passed on part by part: events, interim responses, trailers."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, Peer, RawOrigin, Script, answering
from tests.fixtures.until import until

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


# ---- events


def sends_events(received: asyncio.Event, *lines: bytes) -> Script:
    """Return a script that sends three events, each after the client has received the one before."""

    async def script(peer: Peer) -> None:
        await peer.request()
        fields = b"".join(line + b"\r\n" for line in (b"Content-Type: text/event-stream", *lines))
        await peer.send(HEAD + fields + b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            await peer.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await received.wait()
            received.clear()
        await peer.send(b"0\r\n\r\n")

    return script


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("line", [b"Cache-Control: max-age=60", b"X: a"], ids=["storable", "not storable"])
def test_each_event_is_passed_on_before_the_next_one_is_sent(method: str, line: bytes) -> None:
    received = asyncio.Event()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/events", *(["Content-Length: 0"] if method == "POST" else []), method=method))
        assert b"Transfer-Encoding: chunked\r\n" in await client.head()
        for number in range(3):
            assert await client.read(14) == b"9\r\ndata: %d\n\n\r\n" % number
            received.set()
        assert await client.read(5) == b"0\r\n\r\n"

    run_conversation(conversation, sends_events(received, line))


def test_events_are_passed_on_inside_tls() -> None:
    received = asyncio.Event()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        client.send(get_in_tunnel(origin, "/events"))
        await client.head()
        for number in range(3):
            assert await client.read(14) == b"9\r\ndata: %d\n\n\r\n" % number
            received.set()

    run_conversation(conversation, sends_events(received), secure=origin_tls())


def test_a_response_that_ends_short_is_cut_off() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for _ in range(3):
            client = await front_end.client()
            client.send(get(origin, "/a"))
            assert (await client.response()).cut
        assert not front_end.entries()

    cacheable = HEAD + b"Cache-Control: max-age=60\r\n"
    run_conversation(
        conversation,
        answering(CHUNKED + b"5\r\nhello\r\n", then_close=True),
        answering(cacheable + b"Content-Length: 10\r\n\r\nhello", then_close=True),
        answering(cacheable + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx", then_close=True),
    )


# ---- interim responses


def test_interim_responses_are_passed_on_in_order_before_the_final_one() -> None:
    async def script(peer: Peer) -> None:
        for _ in range(2):
            await peer.request()
            await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            await peer.send(HINTS)
            await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + get(origin, "/b"))
        for _ in range(2):
            assert await client.head() == b"HTTP/1.1 102 Processing\r\n\r\n"
            assert await client.head() == HINTS
            assert (await client.response()).body == b"ok"

    run_conversation(conversation, script)


@pytest.mark.parametrize(
    "lines",
    [
        b"Connection: X-Own\r\nX-Own: a\r\nKeep-Alive: 1\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ],
)
def test_interim_responses_have_no_connection_fields_and_no_framing(lines: bytes) -> None:
    """See docs/decisions.md, "Fields of one connection go no further"."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        assert await client.head() == HINTS
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, answering(HINTS.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n") + OK))


def test_a_client_of_http_1_0_gets_no_interim_responses() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await client.rest()).startswith(b"HTTP/1.1 200 ")

    run_conversation(conversation, answering(HINTS + OK))


def test_too_many_interim_responses_end_in_a_502() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a"))
        assert response.status == 502
        assert len(response.interim or ()) < 1000

    run_conversation(conversation, answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000 + OK))


@pytest.mark.parametrize("lines", [(), ("Connection: x", "Upgrade: websocket")])
def test_a_101_that_was_not_requested_is_a_502_and_opens_no_tunnel(lines: tuple[str, ...]) -> None:
    """See docs/decisions.md, "A protocol switch that was not requested opens no tunnel"."""
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", *lines))
        assert response.status == 502
        assert b"Upgrade" not in origin.requests[0]
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)

    run_conversation(conversation, answering(switching + b"tunnelled"))


# ---- trailers


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"Server-Timing: db;dur=5\r\n", (("Server-Timing", "db;dur=5"),)),
        (
            b"Connection: close, X-Hop\r\nX-Hop: a\r\nKeep-Alive: 1\r\nX-Own: a\r\n",
            (("X-Own", "a"),),
        ),
        (b"X-Own: a\r\nTransfer-Encoding: chunked\r\n", ()),
    ],
    ids=["end-to-end field", "connection fields", "framing fields"],
)
def test_trailers_are_passed_on_without_framing_and_connection_fields(
    lines: bytes, expected: tuple[tuple[str, str], ...]
) -> None:
    """RFC 9110 §6.5.1."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", "TE: trailers"))
        assert response.body == b"ok"
        assert response.trailers is not None
        assert response.trailers.lines == expected

    head = HEAD + b"Trailer: Server-Timing\r\nTransfer-Encoding: chunked\r\n\r\n"
    run_conversation(conversation, answering(head + b"2\r\nok\r\n0\r\n" + lines + b"\r\n"))
