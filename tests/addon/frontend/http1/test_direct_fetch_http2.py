"""A direct fetch over HTTP/2 gets the client what the handler would have got it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from functools import cache

import pytest

from addon.frontend.http1.direct_fetch import DirectFetch
from addon.frontend.http1.fast_path import FastPath
from addon.origin.http2 import frames
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import Client, FrontEndUnderTest, authority_of, request_head, run_conversation
from tests.fixtures.http2_origin import Http2Peer, answering_all, data, http2
from tests.fixtures.raw_origin import RawOrigin, Script
from tests.fixtures.until import until
from tests.lanes.messages import ClientResponse
from tests.lanes.settings import origin_ca

DATES = [f"Mon, 23 Nov 2026 12:00:{second:02} GMT" for second in range(60)]
NO_STORE = ("cache-control", "no-store")
FRESH = ("cache-control", "max-age=60")
LARGE = b"0123456789" * 20_000
"""More than is waited for."""

type Reply = Callable[[Http2Peer, int, int], Awaitable[None]]
"""Answers a request on a stream; the last argument counts the requests."""


def plain(*lines: tuple[str, str], content: bytes = b"v%d", status: str = "200") -> Reply:
    """Return a reply with a Content-Length."""

    async def reply(origin: Http2Peer, number: int, count: int) -> None:
        body = content.replace(b"%d", b"%d" % count)
        length = ("content-length", str(len(body)))
        await origin.answer(number, body, ("date", DATES[count]), *lines, length, status=status)

    return reply


def frames_of(*parts: Callable[[Http2Peer, int], bytes]) -> Reply:
    """Return a reply of frames, each sent on its own."""

    async def reply(origin: Http2Peer, number: int, count: int) -> None:
        for part in parts:
            await origin.send(part(origin, number))
            await asyncio.sleep(0.005)

    return reply


def head(*lines: tuple[str, str], status: str = "200", end: bool = False) -> Callable[[Http2Peer, int], bytes]:
    return lambda origin, number: origin.head(number, ("date", DATES[0]), *lines, status=status, end=end)


def content(text: bytes, *, end: bool) -> Callable[[Http2Peer, int], bytes]:
    return lambda _, number: data(number, text, end=end)


def reset(code: ErrorCode) -> Callable[[Http2Peer, int], bytes]:
    return lambda _, number: frames.reset_frame(number, code)


def trailers(*lines: tuple[str, str]) -> Callable[[Http2Peer, int], bytes]:
    return lambda origin, number: origin.trailers(number, *lines)


TWO_BYTES = ("content-length", "2")

REPLIES: dict[str, Reply] = {
    "not stored": plain(NO_STORE),
    "stored": plain(FRESH, ("etag", '"1"')),
    "404": plain(NO_STORE, status="404"),
    "empty": plain(NO_STORE, content=b""),
    "large": plain(NO_STORE, content=LARGE),
    "large and stored": plain(FRESH, content=LARGE),
    "no length": frames_of(head(NO_STORE), content(b"a", end=False), content(b"b", end=True)),
    "no content": frames_of(head(NO_STORE, status="204", end=True)),
    "in pieces": frames_of(head(NO_STORE, TWO_BYTES), content(b"a", end=False), content(b"b", end=True)),
    "late end": frames_of(head(NO_STORE, TWO_BYTES), content(b"ab", end=False), content(b"", end=True)),
    "interim": frames_of(
        lambda origin, number: origin.head(number, ("link", "</a>"), status="103"),
        head(NO_STORE, TWO_BYTES),
        content(b"ab", end=True),
    ),
    "trailers": frames_of(head(NO_STORE, TWO_BYTES), content(b"ab", end=False), trailers(("x-checksum", "1"))),
    "too short": frames_of(head(NO_STORE, TWO_BYTES), content(b"a", end=True)),
    "too long": frames_of(head(NO_STORE, TWO_BYTES), content(b"abc", end=True)),
    "malformed": frames_of(head(("X-Capitals", "yes"), end=True)),
    "reset before the head": frames_of(reset(ErrorCode.INTERNAL_ERROR)),
    "reset in the content": frames_of(head(NO_STORE, TWO_BYTES), reset(ErrorCode.INTERNAL_ERROR)),
}


def serving(reply: Reply) -> Script:
    """Return a script of an origin that answers two plain requests, and each later one with `reply`."""

    async def script(origin: Http2Peer) -> None:
        for count in range(50):
            answer = plain(NO_STORE) if count < 2 else reply
            await answer(origin, (await origin.request()).number, count)

    return http2(script)


@cache
def http2_tls() -> ssl.SSLContext:
    """Return the TLS context of an origin that offers HTTP/2 only."""
    context = origin_ca().server_context("127.0.0.1")
    context.set_alpn_protocols(["h2"])
    return context


async def fetch(client: Client, origin: RawOrigin, path: str, *lines: str) -> ClientResponse:
    authority = authority_of(origin)
    return await client.fetch(request_head(f"GET https://{authority}{path} HTTP/1.1", f"Host: {authority}", *lines))


def told(script: Script, monkeypatch: pytest.MonkeyPatch, *, direct: bool) -> tuple[object, int]:
    """Return what clients and counters tell of some requests, and the number of direct fetches."""
    sent: list[DirectFetch] = []
    found: list[object] = []
    send = DirectFetch.send

    def noted(fetch: DirectFetch) -> None:
        sent.append(fetch)
        send(fetch)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/a", "/b", "/c", "/d", "/c"):
            response = await fetch(client, origin, path)
            body = response.body.replace(str(origin.port).encode(), b"port")
            found.append((path, response.status, body, response.cut, response.trailers, response.interim))
            found.append([line for line in response.fields.lines if str(origin.port) not in line[1]])
            if response.cut or response.fields.get("connection") == "close":
                client = await front_end.client()
        fetcher = front_end.service.active.current.fetcher
        await until(lambda: not fetcher.fills and not fetcher.single_flight)  # large responses are stored, too
        found.append({name: count for name, count in front_end.service.counters.snapshot().items() if count})
        found.append([(each.head.fields, each.length, each.sha256) for each in front_end.entries()])
        assert origin.connections == 1

    with monkeypatch.context() as patch:
        patch.setattr(DirectFetch, "send", noted)
        if not direct:
            patch.setattr(FastPath, "prepare", lambda *_, **__: None)
        run_conversation(conversation, script, secure=http2_tls())
    return found, len(sent)


@pytest.mark.parametrize("kind", REPLIES)
def test_a_direct_fetch_gets_the_client_what_the_handler_would(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_handler, none = told(serving(REPLIES[kind]), monkeypatch, direct=False)
    directly, some = told(serving(REPLIES[kind]), monkeypatch, direct=True)
    assert directly == by_handler
    assert none == 0
    assert some >= 2


async def fetch_two(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    """Fetch twice, so that there is a connection and a template. Return the client."""
    client = await front_end.client()
    for path in ("/a", "/b"):
        assert (await fetch(client, origin, path)).status == 200
    return client


async def answering_two(origin: Http2Peer) -> None:
    for count in range(2):
        await plain(NO_STORE)(origin, (await origin.request()).number, count)


@pytest.mark.parametrize(
    "refusal",
    [
        lambda number: frames.reset_frame(number, ErrorCode.REFUSED_STREAM),
        lambda number: frames.goaway_frame(number - 2, ErrorCode.NO_ERROR),
    ],
    ids=["REFUSED_STREAM", "GOAWAY"],
)
def test_a_request_that_the_origin_did_not_process_is_sent_again(refusal: Callable[[int], bytes]) -> None:
    async def refusing(origin: Http2Peer) -> None:
        await answering_two(origin)
        await origin.send(refusal((await origin.request()).number))
        await answering_all(origin)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_two(front_end, origin)
        assert (await fetch(client, origin, "/c")).body == b"ok"
        assert front_end.service.counters.snapshot()["requests"] == 3

    run_conversation(conversation, http2(refusing), http2(answering_all), secure=http2_tls())


def test_an_uncacheable_response_is_cancelled_when_its_client_disconnects() -> None:
    received = asyncio.Event()

    async def silent(origin: Http2Peer) -> None:
        await answering_two(origin)
        number = (await origin.request()).number
        received.set()
        assert await origin.reset_with() == (number, ErrorCode.CANCEL)
        await answering_all(origin)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_two(front_end, origin)
        client.send(request_head(f"GET https://{authority_of(origin)}/c HTTP/1.1", f"Host: {authority_of(origin)}"))
        await received.wait()
        # a reset: after a mere end of sending, the proxy would still answer
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.disconnect()
        assert (await fetch(await front_end.client(), origin, "/d")).body == b"ok"
        assert origin.connections == 1

    run_conversation(conversation, http2(silent), secure=http2_tls())


def test_a_validation_is_sent_on_the_shared_connection() -> None:
    async def validated(origin: Http2Peer) -> None:
        lines = (("cache-control", "no-cache"), ("etag", '"1"'))
        await plain(*lines)(origin, (await origin.request()).number, 0)
        for count in range(1, 4):
            request = await origin.request()
            assert request.fields["if-none-match"] == '"1"'
            await origin.send(origin.head(request.number, ("date", DATES[count]), *lines, status="304", end=True))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        responses = [await fetch(client, origin, "/a") for _ in range(4)]
        assert [(each.status, each.body) for each in responses] == [(200, b"v0")] + [(203, b"v0")] * 3
        assert [each.fields.get("date") for each in responses] == DATES[:4]
        assert origin.connections == 1

    run_conversation(conversation, http2(validated), secure=http2_tls())
