"""The reuse of connections, and requests on a connection that the origin has closed."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from tests.fixtures.origin_client import fetch_whole, get, run_conversation, whole
from tests.fixtures.raw_origin import OK, SHORT_TIMEOUT, Peer, RawOrigin, answering, endless

pytestmark = pytest.mark.usefixtures("each_loop")


def options(**given: object) -> OriginOptions:
    return OriginOptions(proxy="none", **given)  # type: ignore[arg-type]  # only options of this type are passed


def test_the_connection_of_an_abandoned_response_is_not_reused() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await (await client.fetch(get(origin))).close()
        await fetch_whole(client, get(origin))
        return origin.connections

    assert run_conversation(conversation, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), endless) == 2


def test_closing_a_response_that_was_read_does_not_close_its_connection() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        response = await client.fetch(get(origin))
        await whole(response)
        other = await client.fetch(get(origin))
        await response.close()
        await response.close()
        assert await whole(other) == b"ok"
        return origin.connections

    assert run_conversation(conversation, endless) == 1


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_the_origin_will_close_is_not_reused(head: bytes) -> None:
    async def one_response(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        assert await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int]:
        await fetch_whole(client, get(origin))
        return await fetch_whole(client, get(origin)), origin.connections

    assert run_conversation(conversation, one_response) == (b"ok", 2)


def test_an_http_1_0_connection_with_keep_alive_is_reused() -> None:
    reply = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok"

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        await fetch_whole(client, get(origin))
        return origin.connections

    assert run_conversation(conversation, answering(reply, reply)) == 1


def test_a_response_sent_before_the_request_was_read_is_accepted() -> None:
    async def early(peer: Peer) -> None:
        await peer.request(up_to=b" ")
        await peer.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")
        await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, bytes]:
        response = await client.fetch(get(origin))
        return response.head.status, await whole(response)

    assert run_conversation(conversation, early) == (503, b"busy")


def test_an_idle_connection_is_closed_after_the_idle_timeout() -> None:
    closed = asyncio.Event()

    async def watched(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        assert await peer.client_closed()
        closed.set()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        await asyncio.wait_for(closed.wait(), 60)
        await fetch_whole(client, get(origin))
        return origin.connections

    assert run_conversation(conversation, watched, options=options(idle_timeout=SHORT_TIMEOUT)) == 2


UNASKED = pytest.mark.parametrize(
    "unasked", [b"", b"\r\n", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"]
)


@UNASKED
@pytest.mark.parametrize("seen", [True, False], ids=["seen by the event loop", "not yet seen"])
def test_an_idle_connection_with_an_end_or_data_from_the_origin_is_not_used(unasked: bytes, seen: bool) -> None:
    peers: list[Peer] = []

    async def keeps_peer(peer: Peer) -> None:
        peers.append(peer)
        await endless(peer)

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int, int]:
        await fetch_whole(client, get(origin))
        peers[0].send_now(unasked)
        if seen:
            await asyncio.sleep(SHORT_TIMEOUT)
        body = await fetch_whole(client, get(origin, method="PATCH"))  # a PATCH is never sent twice
        return body, len(origin.requests), origin.connections

    assert run_conversation(conversation, keeps_peer, endless) == (b"ok", 2, 2)


async def dying(peer: Peer) -> None:
    """Answer one request; close when the second one arrives, as if it had been sent during the close."""
    await peer.request()
    await peer.send(OK)
    await peer.request()
    await peer.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH"])
def test_an_idempotent_request_on_a_closed_reused_connection_is_sent_once_more(method: str) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int, int]:
        await fetch_whole(client, get(origin))
        response = await client.fetch(get(origin, method=method))
        await response.close()
        return response.head.status, len(origin.requests), origin.connections

    assert run_conversation(conversation, dying, endless) == (200, 3, 2)


def test_an_idempotent_request_is_not_sent_a_third_time() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        await fetch_whole(client, get(origin))
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)
        return len(origin.requests), origin.connections

    async def closing(peer: Peer) -> None:
        await peer.request()
        await peer.close()

    assert run_conversation(conversation, dying, closing) == (3, 2)


def test_renewed_connections_are_new_and_free_while_earlier_ones_hang() -> None:
    asked = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int]:
        hanging = asyncio.ensure_future(client.fetch(get(origin)))
        await asked.wait()
        client.renew(get(origin))
        body = await fetch_whole(client, get(origin))
        client.renew(get(origin))
        await fetch_whole(client, get(origin))
        await client.close()
        with pytest.raises(OriginFailure):
            await hanging
        return body, origin.connections

    assert run_conversation(conversation, silent, endless, options=options(max_connections=1)) == (b"ok", 3)


def test_the_retry_uses_no_other_idle_connection() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int, int]:
        first, second = await asyncio.gather(client.fetch(get(origin)), client.fetch(get(origin)))
        await whole(first)
        await whole(second)
        return await fetch_whole(client, get(origin)), len(origin.requests), origin.connections

    assert run_conversation(conversation, dying, dying, endless) == (b"ok", 4, 3)


@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK", "put", "UNKNOWN"])
def test_a_request_that_is_not_idempotent_is_not_sent_again(method: str) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        with pytest.raises(OriginFailure):
            await client.fetch(get(origin, method=method))
        return len(origin.requests)

    assert run_conversation(conversation, dying, endless) == 2


def test_a_request_on_a_fresh_connection_is_not_sent_again() -> None:
    async def closing(peer: Peer) -> None:
        await peer.request()
        await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        with pytest.raises(OriginFailure):
            await client.fetch(get(origin))
        return len(origin.requests), origin.connections

    assert run_conversation(conversation, closing, endless) == (1, 1)


def test_a_request_with_a_partial_response_is_not_sent_again() -> None:
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

    assert run_conversation(conversation, half, endless) == 2
