"""Requests with content: framing, flow control, and when the content is abandoned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions, RequestContent
from cache.http.messages import Request, Response
from tests.fixtures.origin_client import (
    chunked,
    fetch_whole,
    get,
    post_of,
    run_conversation,
    whole,
)
from tests.fixtures.raw_origin import HEAD, LONGER_TIMEOUT, OK, SHORT_TIMEOUT, Peer, RawOrigin, endless

pytestmark = pytest.mark.usefixtures("each_loop")

MANY = 64 * 1024 * 1024


async def receiving(peer: Peer) -> None:
    """Read a request whose content ends in a tilde, and answer it."""
    await peer.request(up_to=b"~")
    await peer.send(OK)
    assert await peer.client_closed()


@pytest.mark.parametrize(
    ("length", "given", "framing", "sent"),
    [
        (4, (), b"Content-Length: 4\r\n", b"abc~"),
        (4, (("content-length", "7"), ("Transfer-Encoding", "chunked")), b"Content-Length: 4\r\n", b"abc~"),
        (None, (), b"Transfer-Encoding: chunked\r\n", b"2\r\nab\r\n2\r\nc~"),
        (None, (("Content-Length", "4"),), b"Transfer-Encoding: chunked\r\n", b"2\r\nab\r\n2\r\nc~"),
    ],
)
def test_content_is_framed_anew(length: int | None, given: tuple[tuple[str, str]], framing: bytes, sent: bytes) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        content = RequestContent(chunked(b"ab", b"", b"c~"), length)
        await fetch_whole_with(client, post_of(origin, *given, ("X", "y")), content)
        return origin.requests[0].replace(str(origin.port).encode(), b"PORT")

    expected = b"POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n" + framing + b"X: y\r\n\r\n" + sent
    assert run_conversation(conversation, receiving) == expected


async def fetch_whole_with(client: OriginClient, request: Request, content: RequestContent) -> bytes:
    return await whole(await client.fetch(request, content=content))


def test_chunked_content_ends_with_the_last_chunk() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        return await fetch_whole_with(client, post_of(origin), RequestContent(chunked(b"abc")))

    async def to_the_end(peer: Peer) -> None:
        await peer.request(up_to=b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        await peer.send(OK)

    assert run_conversation(conversation, to_the_end) == b"ok"


def test_a_request_with_content_has_a_connection_of_its_own() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        await fetch_whole(client, get(origin))
        await fetch_whole_with(client, post_of(origin), RequestContent(chunked(b"abc~"), 4))
        after_it = origin.connections
        await fetch_whole(client, get(origin))
        return after_it, origin.connections

    assert run_conversation(conversation, endless, receiving) == (2, 2)


def test_an_idle_connection_is_closed_for_a_request_with_content() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        await fetch_whole_with(client, post_of(origin), RequestContent(chunked(b"abc~"), 4))
        return origin.connections

    assert (
        run_conversation(conversation, endless, receiving, options=OriginOptions(proxy="none", max_connections=1)) == 2
    )


async def endless_content(taken: list[int]) -> AsyncIterator[bytes]:
    while True:
        taken.append(65_536)
        yield b"x" * 65_536


@pytest.mark.parametrize("length", [MANY, None])
def test_an_early_error_response_stops_the_content(length: int | None) -> None:
    """RFC 9112 §9.5."""
    taken: list[int] = []

    async def refusing(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno.")
        assert await peer.closed_after_data()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, bytes]:
        response = await client.fetch(post_of(origin), content=RequestContent(endless_content(taken), length))
        return response.head.status, await whole(response)

    assert run_conversation(conversation, refusing) == (413, b"no.")
    assert sum(taken) < MANY


def test_an_early_error_response_is_received_although_the_origin_closes_at_once() -> None:
    taken: list[int] = []

    async def closing_early(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno.")
        await peer.close()  # with unread data: a reset follows the response

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, bytes]:
        response = await client.fetch(post_of(origin), content=RequestContent(endless_content(taken), MANY))
        return response.head.status, await whole(response)

    for _ in range(20):
        assert run_conversation(conversation, closing_early) == (413, b"no.")


def test_content_continues_after_an_early_success_response() -> None:
    async def answering_early(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: 2\r\n\r\n")
        await peer.request(up_to=b"b")
        await peer.send(b"ok")

    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        answered = asyncio.Event()

        async def two_chunks() -> AsyncIterator[bytes]:
            yield b"a"
            await answered.wait()
            yield b"b"

        response = await client.fetch(post_of(origin), content=RequestContent(two_chunks(), 2))
        answered.set()
        return await whole(response)

    assert run_conversation(conversation, answering_early) == b"ok"


def test_the_content_waits_for_a_slow_origin() -> None:
    taken: list[int] = []

    async def not_reading(peer: Peer) -> None:
        await asyncio.sleep(60)

    async def conversation(client: OriginClient, origin: RawOrigin) -> FailureKind:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(post_of(origin), content=RequestContent(endless_content(taken), MANY))
        return caught.value.kind

    kind = run_conversation(
        conversation, not_reading, options=OriginOptions(proxy="none", between_bytes_timeout=SHORT_TIMEOUT)
    )
    assert kind is FailureKind.CONNECTION_WRITE_TIMEOUT
    assert sum(taken) < MANY


def test_a_slow_client_is_no_timeout_of_the_origin() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.sleep(1.5 * LONGER_TIMEOUT)
        yield b"~"

    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        return await fetch_whole_with(client, post_of(origin), RequestContent(slow(), 4))

    options = OriginOptions(proxy="none", first_byte_timeout=LONGER_TIMEOUT, between_bytes_timeout=LONGER_TIMEOUT)
    assert run_conversation(conversation, receiving, options=options) == b"ok"


def test_expect_and_the_100_response_are_forwarded() -> None:
    async def expecting(peer: Peer) -> None:
        assert b"Expect: 100-continue\r\n" in await peer.request()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await receiving(peer)

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[list[int], bytes]:
        allowed, statuses = asyncio.Event(), list[int]()

        async def when_allowed() -> AsyncIterator[bytes]:
            await allowed.wait()
            yield b"abc~"

        def interim(head: Response) -> None:
            statuses.append(head.status)
            allowed.set()

        request = post_of(origin, ("Expect", "100-continue"))
        response = await client.fetch(request, interim=interim, content=RequestContent(when_allowed(), 4))
        return statuses, await whole(response)

    assert run_conversation(conversation, expecting) == ([100], b"ok")


@pytest.mark.parametrize("chunks", [(b"ab",), (b"abc", b"de")], ids=["too little", "too much"])
def test_content_of_another_length_than_announced_ends_the_exchange(chunks: tuple[bytes, ...]) -> None:
    async def cut(peer: Peer) -> None:
        await peer.request()
        assert await peer.closed_after_data()

    async def conversation(client: OriginClient, origin: RawOrigin) -> FailureKind:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(post_of(origin), content=RequestContent(chunked(*chunks), 4))
        return caught.value.kind

    assert run_conversation(conversation, cut) is FailureKind.HTTP_REQUEST_ERROR


def test_a_client_that_disconnects_ends_the_exchange() -> None:
    async def leaving() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionResetError("the client left")

    async def cut(peer: Peer) -> None:
        await peer.request()
        assert await peer.closed_after_data()

    async def conversation(client: OriginClient, origin: RawOrigin) -> FailureKind:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(post_of(origin, method="PUT"), content=RequestContent(leaving()))
        return caught.value.kind

    assert run_conversation(conversation, cut) is FailureKind.HTTP_REQUEST_ERROR


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_with_content_is_never_sent_twice(method: str) -> None:
    async def closing(peer: Peer) -> None:
        await peer.request()
        await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        with pytest.raises(OriginFailure):
            await client.fetch(post_of(origin, method=method), content=RequestContent(chunked(b"abc~"), 4))
        return origin.connections

    assert run_conversation(conversation, closing) == 1


def test_the_clients_host_field_is_sent_with_named_host() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        request = get(origin, "/", ("Host", "elsewhere.test"))
        await whole(await client.fetch(request, named_host=True))
        return origin.requests[0]

    assert run_conversation(conversation, endless) == b"GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n"
