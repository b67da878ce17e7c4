"""Which connections are used again, and what happens when one turns out dead."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from tests.fixtures.origin_client import converse, fetch_whole, get, whole
from tests.fixtures.raw_origin import OK, QUICK, Peer, RawOrigin, answering, endless

pytestmark = pytest.mark.usefixtures("each_loop")


def options(**given: object) -> OriginOptions:
    return OriginOptions(proxy="none", **given)  # type: ignore[arg-type]  # the tests' own few options


def test_an_answer_given_up_is_not_followed_by_another_on_its_connection() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await (await client.fetch(get(origin))).close()
        await fetch_whole(client, get(origin))
        return origin.connections

    assert converse(conversation, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), endless) == 2


def test_closing_an_answer_that_was_read_leaves_the_connection_to_others() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        answer = await client.fetch(get(origin))
        await whole(answer)
        other = await client.fetch(get(origin))
        await answer.close()
        await answer.close()
        assert await whole(other) == b"ok"
        return origin.connections

    assert converse(conversation, endless) == 1


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_the_origin_means_to_close_is_not_kept(head: bytes) -> None:
    async def one_answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        assert await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int]:
        await fetch_whole(client, get(origin))
        return await fetch_whole(client, get(origin)), origin.connections

    assert converse(conversation, one_answer) == (b"ok", 2)


def test_an_http_1_0_connection_is_kept_if_the_origin_says_so() -> None:
    reply = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok"

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        await fetch_whole(client, get(origin))
        return origin.connections

    assert converse(conversation, answering(reply, reply)) == 1


def test_an_answer_before_the_whole_request_was_read_is_an_answer() -> None:
    async def early(peer: Peer) -> None:
        await peer.request(up_to=b" ")
        await peer.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")
        await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, bytes]:
        answer = await client.fetch(get(origin))
        return answer.head.status, await whole(answer)

    assert converse(conversation, early) == (503, b"busy")


def test_an_idle_connection_is_closed_after_a_while() -> None:
    closed = asyncio.Event()

    async def watched(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        assert await peer.client_closed()
        closed.set()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        await asyncio.wait_for(closed.wait(), 5)
        await fetch_whole(client, get(origin))
        return origin.connections

    assert converse(conversation, watched, options=options(idle_timeout=QUICK)) == 2


UNASKED = pytest.mark.parametrize(
    "unasked", [b"", b"\r\n", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"]
)


@UNASKED
@pytest.mark.parametrize("seen", [True, False], ids=["seen by the event loop", "not yet seen"])
def test_an_idle_connection_that_the_origin_ends_or_speaks_on_is_not_used(unasked: bytes, seen: bool) -> None:
    peers: list[Peer] = []

    async def speaking(peer: Peer) -> None:
        peers.append(peer)
        await endless(peer)

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int, int]:
        await fetch_whole(client, get(origin))
        peers[0].send_now(unasked)
        if seen:
            await asyncio.sleep(QUICK)
        body = await fetch_whole(client, get(origin, method="DELETE"))  # which is never sent twice
        return body, len(origin.requests), origin.connections

    assert converse(conversation, speaking, endless) == (b"ok", 2, 2)


async def dying(peer: Peer) -> None:
    """Answer once, then close instead of answering: the request crossed the closing."""
    await peer.request()
    await peer.send(OK)
    await peer.request()
    await peer.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_request_on_a_reused_connection_that_died_is_sent_once_more(method: str) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int, int]:
        await fetch_whole(client, get(origin))
        answer = await client.fetch(get(origin, method=method))
        await answer.close()
        return answer.head.status, len(origin.requests), origin.connections

    assert converse(conversation, dying, endless) == (200, 3, 2)


def test_it_is_sent_once_more_and_not_twice() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        await fetch_whole(client, get(origin))
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)
        return len(origin.requests), origin.connections

    async def closing(peer: Peer) -> None:
        await peer.request()
        await peer.close()

    assert converse(conversation, dying, closing) == (3, 2)


def test_the_other_idle_connections_are_not_tried_either() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int, int]:
        first, second = await asyncio.gather(client.fetch(get(origin)), client.fetch(get(origin)))
        await whole(first)
        await whole(second)
        return await fetch_whole(client, get(origin)), len(origin.requests), origin.connections

    assert converse(conversation, dying, dying, endless) == (b"ok", 4, 3)


def test_an_unsafe_request_is_not_sent_again() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        with pytest.raises(OriginFailure):
            await client.fetch(get(origin, method="DELETE"))
        return len(origin.requests)

    assert converse(conversation, dying, endless) == 2


def test_a_request_on_a_fresh_connection_is_not_sent_again() -> None:
    async def closing(peer: Peer) -> None:
        await peer.request()
        await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        with pytest.raises(OriginFailure):
            await client.fetch(get(origin))
        return len(origin.requests), origin.connections

    assert converse(conversation, closing, endless) == (1, 1)


def test_a_request_that_was_half_answered_is_not_sent_again() -> None:
    async def half(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()
        await peer.send(b"HTTP/1.1")
        await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        with pytest.raises(OriginFailure):
            await client.fetch(get(origin))
        return len(origin.requests)

    assert converse(conversation, half, endless) == 2
