"""Answers that come in parts reach the client as they come: events, interim responses, trailers."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    client_tls,
    get,
    origin_tls,
    request_head,
    run_conversation,
    until,
)
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, Peer, RawOrigin, answering

EVENTS = HEAD + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("store", ["Cache-Control: max-age=60\r\n", ""])
def test_every_event_passes_before_the_next_one_exists(method: str, store: str) -> None:
    response = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS.replace(b"\r\n\r\n", b"\r\n" + store.encode() + b"\r\n", 1))
        for number in range(3):
            await peer.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await response.wait()
            response.clear()
        await peer.send(b"0\r\n\r\n")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/events", *(["Content-Length: 0"] if method == "POST" else []), method=method))
        assert b"Transfer-Encoding: chunked\r\n" in await client.head()
        for number in range(3):
            assert await client.read(14) == b"9\r\ndata: %d\n\n\r\n" % number
            response.set()
        assert await client.read(5) == b"0\r\n\r\n"

    run_conversation(conversation, script)


def test_events_pass_inside_tls_as_well() -> None:
    response = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS)
        for _ in range(3):
            await peer.send(b"1\r\na\r\n")
            await response.wait()
            response.clear()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(f"127.0.0.1:{origin.port}", client_tls())
        client.send(request_head("GET /events HTTP/1.1", f"Host: 127.0.0.1:{origin.port}"))
        await client.head()
        for _ in range(3):
            assert await client.read(6) == b"1\r\na\r\n"
            response.set()

    run_conversation(conversation, script, secure=origin_tls())


def test_an_answer_that_ends_short_is_cut_and_never_ends_cleanly() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for _ in range(3):
            client = await front_end.client()
            client.send(get(origin, "/a"))
            assert (await client.response()).cut
        assert not front_end.entries()

    cached = HEAD + b"Cache-Control: max-age=60\r\n"
    run_conversation(
        conversation,
        answering(CHUNKED + b"5\r\nhello\r\n", then_close=True),
        answering(cached + b"Content-Length: 10\r\n\r\nhello", then_close=True),
        answering(cached + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx", then_close=True),
    )


# ---- interim responses


def test_interim_responses_come_in_order_before_the_final_one() -> None:
    async def script(peer: Peer) -> None:
        for _ in range(2):
            await peer.request()
            await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
            await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a") + get(origin, "/b"))
        for _ in range(2):
            assert await client.head() == b"HTTP/1.1 102 Processing\r\n\r\n"
            assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
            assert (await client.response()).body == b"ok"

    run_conversation(conversation, script)


def test_what_an_interim_response_says_of_its_own_hop_stays_there() -> None:
    """Yardstick A11: Connection, and what it nominates, is between the origin and this proxy."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Own\r\nX-Own: a\r\nKeep-Alive: 1\r\n\r\n"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, answering(hints + OK))


@pytest.mark.parametrize("line", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_an_interim_response_never_announces_content(line: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        head = await client.head()
        assert line.partition(b":")[0] not in head

    run_conversation(conversation, answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n%b\r\n\r\n" % line + OK))


def test_http_1_0_knows_no_interim_responses() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await client.rest()).startswith(b"HTTP/1.1 200 ")

    run_conversation(conversation, answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK))


def test_a_flood_of_interim_responses_ends_in_502() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a"))
        assert response.status == 502
        assert len(response.interim or ()) < 1000

    run_conversation(conversation, answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000 + OK))


@pytest.mark.parametrize("asks", [(), ("Connection: x", "Upgrade: websocket")])
def test_a_101_that_nobody_asked_for_is_a_502_and_opens_no_tunnel(asks: tuple[str, ...]) -> None:
    """Yardstick A12."""
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", *asks))
        assert response.status == 502
        assert not front_end.handed_over
        assert b"Upgrade" not in origin.requests[0]
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)

    run_conversation(conversation, answering(switching + b"tunnelled"))


# ---- trailers


def test_trailers_come_behind_the_content() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", "TE: trailers"))
        assert response.body == b"ok"
        assert response.trailers is not None
        assert response.trailers.lines == (("Server-Timing", "db;dur=5"),)

    trailing = HEAD + b"Trailer: Server-Timing\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    run_conversation(conversation, answering(trailing + b"Server-Timing: db;dur=5\r\n\r\n"))


def test_trailers_never_say_anything_of_framing_or_of_this_hop() -> None:
    """RFC 9110 §6.5.1."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", "TE: trailers"))
        assert response.trailers is not None
        assert response.trailers.lines == (("X-Own", "a"),)

    lines = b"Transfer-Encoding: chunked\r\nConnection: close, X-Hop\r\nX-Hop: a\r\nKeep-Alive: 1\r\nX-Own: a\r\n"
    run_conversation(conversation, answering(CHUNKED + b"2\r\nok\r\n0\r\n" + lines + b"\r\n"))
