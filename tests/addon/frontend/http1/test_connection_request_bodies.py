"""Requests with content, over sockets.

See docs/decisions.md, "A request with content has an origin connection of its own".
"""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    echo_path,
    get,
    reads_content,
    request_head,
    run_conversation,
)
from tests.fixtures.raw_origin import OK, Peer, RawOrigin, answering, endless
from tests.fixtures.until import until


def post_chunks(origin: RawOrigin, chunks: bytes, coding: str = "chunked") -> bytes:
    return get(origin, "/a", f"Transfer-Encoding: {coding}", method="POST", body=chunks)


def test_content_is_framed_again_for_the_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        chunks = b"5;x=y\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n"
        assert (await client.fetch(post_chunks(origin, chunks, "ChUnKeD"))).body == b"ok"
        assert origin.requests[0].count(b"Transfer-Encoding: chunked\r\n") == 1
        assert b"Content-Length" not in origin.requests[0]
        assert origin.requests[1] == b"5\r\nhello\r\n0\r\n\r\n"

    run_conversation(conversation, reads_content(b"0\r\n\r\n"))


def test_a_chunked_request_with_bytes_behind_it_is_answered_and_the_connection_ends() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(post_chunks(origin, b"0\r\n\r\n" + get(origin, "/smuggled")))
        assert response.body == b"ok"
        assert await client.rest() == b""
        assert not any(b"/smuggled" in head for head in origin.requests)

    run_conversation(conversation, reads_content(b"0\r\n\r\n"), endless)


def test_a_request_that_follows_chunks_before_their_response_is_answered_on_the_same_connection() -> None:
    """A client that has read the response may be faster than the note that all of it was sent."""
    second_was_sent = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"0\r\n\r\n")
        await second_was_sent.wait()
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, other = await front_end.client(), await front_end.client()
        client.send(post_chunks(origin, b"5\r\nhello\r\n0\r\n\r\n"))
        await until(lambda: len(origin.requests) == 2)  # the head and the chunks
        client.send(get(origin, "/next"))
        assert (await other.fetch(get(origin, "/other"))).body == b"/other"  # what was sent before has arrived too
        second_was_sent.set()
        assert [(await client.response()).body for _ in range(2)] == [b"ok", b"/next"]

    run_conversation(conversation, slow, echo_path)


def test_large_content_that_arrives_while_another_request_is_answered_is_read_to_its_end() -> None:
    second_was_sent = asyncio.Event()
    size = 2_000_000

    async def slow(peer: Peer) -> None:
        await peer.request()
        await second_was_sent.wait()
        await peer.send(OK)
        await peer.client_closed()

    async def reads_all(peer: Peer) -> None:
        await peer.request()
        await peer.read(size)
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, other = await front_end.client(), await front_end.client()
        client.send(get(origin, "/slow"))
        await until(lambda: len(origin.requests) == 1)
        client.send(get(origin, "/large", f"Content-Length: {size}", method="POST", body=bytes(size)))
        assert (await other.fetch(get(origin, "/other"))).body == b"/other"  # what was sent before has arrived too
        second_was_sent.set()
        assert [(await client.response()).body for _ in range(2)] == [b"ok", b"ok"]

    run_conversation(conversation, slow, echo_path, reads_all)


def test_malformed_chunks_end_the_connection_and_what_follows_them_is_dropped() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(post_chunks(origin, b"5\r\nhello\r\nx\r\n" + get(origin, "/smuggled")))
        assert response.status in (400, 502)
        assert response.fields.get("connection") == "close"
        assert await client.rest() == b""
        assert not any(b"/smuggled" in head for head in origin.requests)

    run_conversation(conversation, endless)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_a_request_smuggled_in_content_is_never_answered_or_stored(method: str) -> None:
    """An origin that does not read the content takes it for the next request on the connection."""
    fresh = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: %d\r\n\r\n%b"

    async def ignores_content(peer: Peer) -> None:
        while True:
            head = await peer.request()
            path = head.split(b" ")[1]
            await peer.send(fresh % (len(path), b"" if head.startswith(b"HEAD") else path))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        smuggled = request_head("GET /evil HTTP/1.1", f"Host: {authority_of(origin)}")
        attacker = await front_end.client()
        attack = get(origin, "/a", f"Content-Length: {len(smuggled)}", method=method, body=smuggled)
        assert (await attacker.fetch(attack)).status == 200
        for client in (attacker, await front_end.client()):
            response = await client.fetch(get(origin, "/victim.js"))
            assert response.body == b"/victim.js"
        assert {entry.key.rpartition("/")[2] for entry in front_end.entries()} == {"victim.js"}

    run_conversation(conversation, ignores_content)


def test_the_100_continue_that_a_client_waits_for_comes_from_the_origin() -> None:
    async def script(peer: Peer) -> None:
        assert b"Expect: 100-continue\r\n" in await peer.request()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await peer.request(b"hello")
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client.fetch(b"hello")).body == b"ok"

    run_conversation(conversation, script)


def test_a_response_before_the_end_of_the_content_ends_the_connection_without_a_reset() -> None:
    refusal = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
        assert (response.status, response.fields.get("connection")) == (417, "close")
        assert await client.reader.read() == b""  # raises ConnectionError after a reset

    run_conversation(conversation, answering(refusal))


def test_requests_behind_content_with_a_length_are_answered_in_order() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Content-Length: 5", method="PUT", body=b"hello") + get(origin, "/b"))
        assert [(await client.response()).body for _ in range(2)] == [b"up", b"ok"]

    run_conversation(conversation, reads_content(b"hello", OK.replace(b"ok", b"up")), endless)
