"""The connection pool: reuse, limits and waiting, as the origin counts the connections."""

from __future__ import annotations

import asyncio
import gc

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from cache.http.messages import Request
from tests.fixtures.free_port import free_port
from tests.fixtures.origin_client import fetch_whole, get, run_conversation, whole
from tests.fixtures.raw_origin import LONGER_TIMEOUT, OK, SHORT_TIMEOUT, Peer, RawOrigin, Script, answering, endless
from tests.fixtures.until import until

pytestmark = pytest.mark.usefixtures("each_loop")


def options(**given: object) -> OriginOptions:
    return OriginOptions(proxy="none", **given)  # type: ignore[arg-type]  # only options of this type are passed


@pytest.mark.parametrize("eager", [False, True])
def test_sequential_requests_use_one_connection(eager: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        for _ in range(5):
            assert await fetch_whole(client, get(origin)) == b"ok"
        return len(origin.requests), origin.connections

    assert run_conversation(conversation, endless, eager=eager) == (5, 1)


def test_the_connection_used_last_is_reused_first() -> None:
    served: list[int] = []

    def numbered(number: int) -> Script:
        async def script(peer: Peer) -> None:
            while True:
                await peer.request()
                served.append(number)
                await peer.send(OK)

        return script

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        first, second = await asyncio.gather(client.fetch(get(origin)), client.fetch(get(origin)))
        await whole(first)
        await whole(second)
        served.clear()
        for _ in range(3):
            await fetch_whole(client, get(origin))
        assert origin.connections == 2
        assert len(set(served)) == 1

    run_conversation(conversation, numbered(0), numbered(1))


def test_the_number_of_connections_is_limited() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        await asyncio.gather(*(fetch_whole(client, get(origin)) for _ in range(20)))
        return len(origin.requests), origin.most_at_once

    assert run_conversation(conversation, endless, options=options(max_connections=3)) == (20, 3)


def test_a_request_that_gets_no_connection_in_time_fails() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
        response = await client.fetch(get(origin))
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        await response.close()
        return caught.value

    failure = run_conversation(
        conversation,
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
        options=options(max_connections=1, first_byte_timeout=LONGER_TIMEOUT),
    )
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_LIMIT_REACHED, True)


def test_waiting_for_a_connection_does_not_count_as_connect_time() -> None:
    async def slow_to_finish(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await asyncio.sleep(1.5 * LONGER_TIMEOUT)
        await peer.send(b"ok")
        await endless(peer)

    async def conversation(client: OriginClient, origin: RawOrigin) -> list[bytes]:
        return await asyncio.gather(*(fetch_whole(client, get(origin)) for _ in range(2)))

    limits = options(max_connections=1, connect_timeout=LONGER_TIMEOUT)
    assert run_conversation(conversation, slow_to_finish, options=limits) == [b"ok", b"ok"]


@pytest.mark.parametrize("ending", ["abandoned", "failed", "cancelled"])
def test_an_abandoned_connection_frees_its_slot(ending: str) -> None:
    async def failing(peer: Peer) -> None:
        await peer.request()
        if ending == "failed":
            await peer.send(b"nonsense")
        if ending == "abandoned":
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int]:
        first = asyncio.create_task(client.fetch(get(origin)))
        second = asyncio.create_task(fetch_whole(client, get(origin)))
        await until(lambda: bool(origin.requests))
        if ending == "abandoned":
            await (await first).close()
        else:
            if ending == "cancelled":
                first.cancel()
            with pytest.raises((OriginFailure, asyncio.CancelledError)):
                await first
        return await second, origin.connections

    assert run_conversation(conversation, failing, endless, options=options(max_connections=1)) == (b"ok", 2)


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_stream_does_not_take_the_place_of_other_requests() -> None:
    async def streaming(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS)
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, int]:
        stream = asyncio.create_task(fetch_whole(client, get(origin)))
        await until(lambda: bool(origin.requests))
        bodies = [await fetch_whole(client, get(origin)) for _ in range(3)]
        stream.cancel()
        return bodies[-1], origin.connections

    limits = options(max_connections=1, first_byte_timeout=30.0)
    assert run_conversation(conversation, streaming, endless, options=limits) == (b"ok", 2)


def test_a_live_response_does_not_take_the_place_of_other_requests() -> None:
    async def growing(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(200):
            await peer.send(b"1\r\na\r\n")
            await asyncio.sleep(SHORT_TIMEOUT / 10)

    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        log = await client.fetch(get(origin))
        body = await fetch_whole(client, get(origin))
        await log.close()
        return body

    limits = options(max_connections=1, between_bytes_timeout=SHORT_TIMEOUT, min_rate=10_000)
    assert run_conversation(conversation, growing, endless, options=limits) == b"ok"


@pytest.mark.parametrize("field", [("Accept", "text/event-stream"), ("Prefer", "wait=60")])
def test_requests_that_ask_for_a_stream_do_not_exceed_the_limit(field: tuple[str, str]) -> None:
    """Half of the connections may wait long for a response head; so the others are free again after the usual time."""

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        asked = [asyncio.create_task(fetch_whole(client, get(origin, "/", field))) for _ in range(20)]
        waiting = set(asked)
        while len(waiting) > 2:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended, waiting = await asyncio.wait(asked, timeout=2 * SHORT_TIMEOUT)
        assert all(isinstance(task.exception(), OriginFailure) for task in ended)
        for task in waiting:
            task.cancel()
        return len(waiting), origin.most_at_once

    limits = options(max_connections=4, first_byte_timeout=SHORT_TIMEOUT)
    assert run_conversation(conversation, silent, options=limits) == (2, 4)


def test_the_connection_of_a_stream_that_has_ended_is_used_again_within_the_limit() -> None:
    end = asyncio.Event()

    async def ends(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS)
        await end.wait()
        await peer.send(b"0\r\n\r\n")
        await endless(peer)

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[int, int]:
        stream = await client.fetch(get(origin))
        await fetch_whole(client, get(origin))
        end.set()
        await whole(stream)  # its connection would be the second idle one
        await fetch_whole(client, get(origin))
        most = origin.connections
        for _ in range(2):
            response = await client.fetch(get(origin, "/", ("Accept", "text/event-stream")))
            await whole(response)
        return most, origin.connections

    assert run_conversation(conversation, ends, endless, options=options(max_connections=1)) == (2, 2)


def test_a_failed_connection_attempt_frees_its_slot() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> list[FailureKind]:
        request = Request("GET", "http", "127.0.0.1", free_port(), "/")
        failures = await asyncio.gather(client.fetch(request), client.fetch(request), return_exceptions=True)
        return [failure.kind for failure in failures if isinstance(failure, OriginFailure)]

    limits = options(max_connections=1, first_byte_timeout=30.0)
    assert run_conversation(conversation, endless, options=limits) == [FailureKind.CONNECTION_REFUSED] * 2


def test_a_pool_without_connections_is_freed() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await fetch_whole(client, get(origin))
        while client._pools:
            gc.collect()
            await asyncio.sleep(0.001)
        return len(client._pools)

    assert run_conversation(conversation, answering(OK, then_close=True)) == 0
