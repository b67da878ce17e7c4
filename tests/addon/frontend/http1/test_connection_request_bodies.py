"""Requests with content, over sockets (yardstick A3, fact 2): they have an origin connection to themselves."""

from __future__ import annotations

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.fixtures.raw_origin import OK, Peer, RawOrigin, answering, endless


def test_content_reaches_the_origin_in_a_framing_of_our_own() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"0\r\n\r\n")
        await peer.send(OK)
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        body = b"5;x=y\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n"
        response = await client.fetch(get(origin, "/a", "Transfer-Encoding: ChUnKeD", method="POST", body=body))
        assert response.body == b"ok"
        assert origin.requests[0].count(b"Transfer-Encoding: chunked\r\n") == 1
        assert b"Content-Length" not in origin.requests[0]
        assert origin.requests[1] == b"5\r\nhello\r\n0\r\n\r\n"

    run_conversation(conversation, script)


def test_a_chunked_request_with_octets_behind_it_is_answered_and_the_connection_ends() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"0\r\n\r\n")
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        body = b"0\r\n\r\n" + get(origin, "/smuggled")
        response = await client.fetch(get(origin, "/a", "Transfer-Encoding: chunked", method="POST", body=body))
        assert response.body == b"ok"
        assert await client.rest() == b""
        assert not any(b"/smuggled" in head for head in origin.requests)

    run_conversation(conversation, script, endless)


def test_broken_chunks_cut_the_exchange_and_nothing_behind_them_is_heard() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        body = b"5\r\nhello\r\nx\r\n" + get(origin, "/smuggled")
        response = await client.fetch(get(origin, "/a", "Transfer-Encoding: chunked", method="POST", body=body))
        assert response.status in (400, 502)
        assert response.fields.get("connection") == "close"
        assert await client.rest() == b""
        assert not any(b"/smuggled" in head for head in origin.requests)

    run_conversation(conversation, endless)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_a_request_smuggled_in_content_is_never_answered_or_stored(method: str) -> None:
    """Yardstick A3, fact 2: an origin that does not read the content takes it for the next request."""
    fresh = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: %d\r\n\r\n%b"

    async def ignores_content(peer: Peer) -> None:
        while True:
            head = await peer.request()
            path = head.split(b" ")[1]
            length = b"" if head.startswith(b"HEAD") else path
            await peer.send(fresh % (len(path), length))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        evil = request_for_origin(origin, "/evil")
        attacker = await front_end.client()
        attack = get(origin, "/a", f"Content-Length: {len(evil)}", method=method, body=evil)
        assert (await attacker.fetch(attack)).status == 200
        for client in (attacker, await front_end.client()):
            response = await client.fetch(get(origin, "/victim.js"))
            assert response.body == b"/victim.js"
        assert {entry.key.rpartition("/")[2] for entry in front_end.entries()} == {"victim.js"}

    run_conversation(conversation, ignores_content)


def request_for_origin(origin: RawOrigin, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{origin.port}\r\n\r\n".encode()


def test_a_client_that_waits_for_100_continue_is_told_by_the_origin() -> None:
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


def test_content_that_the_origin_refuses_before_its_end_ends_the_connection_in_order() -> None:
    refused = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
        assert (response.status, response.fields.get("connection")) == (417, "close")
        assert await client.rest() == b""

    run_conversation(conversation, answering(refused))


def test_requests_behind_content_of_a_known_length_are_answered_in_order() -> None:
    async def reads_content(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"hello")
        await peer.send(OK.replace(b"ok", b"up"))
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", "Content-Length: 5", method="PUT", body=b"hello") + get(origin, "/b"))
        assert [(await client.response()).body for _ in range(2)] == [b"up", b"ok"]

    run_conversation(conversation, reads_content, endless)
