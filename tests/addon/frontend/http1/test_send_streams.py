"""Answers that come in parts reach the client as they come: events, interim responses, trailers."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.doorway import Doorway, converse, get, origin_tls, request, trusting, until
from tests.fixtures.raw_origin import CHUNKED, HEAD, OK, Peer, RawOrigin, answering

EVENTS = HEAD + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("store", ["Cache-Control: max-age=60\r\n", ""])
def test_every_event_passes_before_the_next_one_exists(method: str, store: str) -> None:
    heard = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS.replace(b"\r\n\r\n", b"\r\n" + store.encode() + b"\r\n", 1))
        for number in range(3):
            await peer.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await heard.wait()
            heard.clear()
        await peer.send(b"0\r\n\r\n")

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/events", *(["Content-Length: 0"] if method == "POST" else []), method=method))
        assert b"Transfer-Encoding: chunked\r\n" in await client.head()
        for number in range(3):
            assert await client.octets(14) == b"9\r\ndata: %d\n\n\r\n" % number
            heard.set()
        assert await client.octets(5) == b"0\r\n\r\n"

    converse(conversation, script)


def test_events_pass_inside_tls_as_well() -> None:
    heard = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS)
        for _ in range(3):
            await peer.send(b"1\r\na\r\n")
            await heard.wait()
            heard.clear()

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}", trusting())
        client.send(request("GET /events HTTP/1.1", f"Host: 127.0.0.1:{origin.port}"))
        await client.head()
        for _ in range(3):
            assert await client.octets(6) == b"1\r\na\r\n"
            heard.set()

    converse(conversation, script, secure=origin_tls())


def test_an_answer_that_ends_short_is_cut_and_never_ends_cleanly() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        for _ in range(3):
            client = await doorway.client()
            client.send(get(origin, "/a"))
            assert (await client.answer()).cut
        assert not doorway.stored()

    cached = HEAD + b"Cache-Control: max-age=60\r\n"
    converse(
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

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/a") + get(origin, "/b"))
        for _ in range(2):
            assert await client.head() == b"HTTP/1.1 102 Processing\r\n\r\n"
            assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
            assert (await client.answer()).body == b"ok"

    converse(conversation, script)


def test_what_an_interim_response_says_of_its_own_hop_stays_there() -> None:
    """Yardstick A11: Connection, and what it nominates, is between the origin and this proxy."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Own\r\nX-Own: a\r\nKeep-Alive: 1\r\n\r\n"

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/a"))
        assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        assert (await client.answer()).body == b"ok"

    converse(conversation, answering(hints + OK))


@pytest.mark.parametrize("line", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_an_interim_response_never_announces_content(line: bytes) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/a"))
        head = await client.head()
        assert line.partition(b":")[0] not in head

    converse(conversation, answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n%b\r\n\r\n" % line + OK))


def test_http_1_0_knows_no_interim_responses() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/a").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await client.rest()).startswith(b"HTTP/1.1 200 ")

    converse(conversation, answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK))


def test_a_flood_of_interim_responses_ends_in_502() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        heard = await client.ask(get(origin, "/a"))
        assert heard.status == 502
        assert len(heard.interim or ()) < 1000

    converse(conversation, answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000 + OK))


@pytest.mark.parametrize("asks", [(), ("Connection: x", "Upgrade: websocket")])
def test_a_101_that_nobody_asked_for_is_a_502_and_opens_no_tunnel(asks: tuple[str, ...]) -> None:
    """Yardstick A12."""
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        heard = await client.ask(get(origin, "/a", *asks))
        assert heard.status == 502
        assert not doorway.handed_over
        assert b"Upgrade" not in origin.requests[0]
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)

    converse(conversation, answering(switching + b"tunnelled"))


# ---- trailers


def test_trailers_come_behind_the_content() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        heard = await client.ask(get(origin, "/a", "TE: trailers"))
        assert heard.body == b"ok"
        assert heard.trailers is not None
        assert heard.trailers.lines == (("Server-Timing", "db;dur=5"),)

    trailing = HEAD + b"Trailer: Server-Timing\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    converse(conversation, answering(trailing + b"Server-Timing: db;dur=5\r\n\r\n"))


def test_trailers_never_say_anything_of_framing_or_of_this_hop() -> None:
    """RFC 9110 §6.5.1."""

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        heard = await client.ask(get(origin, "/a", "TE: trailers"))
        assert heard.trailers is not None
        assert heard.trailers.lines == (("X-Own", "a"),)

    lines = b"Transfer-Encoding: chunked\r\nConnection: close, X-Hop\r\nX-Hop: a\r\nKeep-Alive: 1\r\nX-Own: a\r\n"
    converse(conversation, answering(CHUNKED + b"2\r\nok\r\n0\r\n" + lines + b"\r\n"))
