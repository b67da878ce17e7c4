"""One fetch for many requests: who joins it, who leaves it, and what they read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from addon.config.settings import Settings
from addon.origin import RequestContent
from addon.pipeline.reply import Reply
from addon.pipeline.single_flight import HIT_FOR_PASS_SECONDS, MAX_HIT_FOR_PASS, FlightResult, SingleFlight
from addon.service import Service
from cache.http.messages import Request
from cache.rules.key import primary_key
from tests.fixtures.origin_client import get, pieces, post_of
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin, Script

FRESH = HEAD + b"Cache-Control: max-age=60\r\n"


def converse[T](conversation: Callable[[Service, RawOrigin], Awaitable[T]], *scripts: Script, **cache: Any) -> T:
    async def main() -> T:
        settings = {"store": {"kind": "memory", "max_size": 2**24}, "origin": {"proxy": "none"}, "cache": cache}
        service = Service(Settings.model_validate(settings), lambda: 1_800_000_000.0)
        async with RawOrigin(*scripts) as origin:
            try:
                return await conversation(service, origin)
            finally:
                await service.active.current.responder.close()
                service.active.current.store.close()

    return asyncio.run(main())


async def read(reply: Reply) -> bytes:
    if isinstance(reply.content, bytes):
        return reply.content
    try:
        return b"".join([octets async for octets in reply.content.chunks])
    finally:
        await reply.content.close()


async def answered(service: Service, request: Request) -> tuple[int, bytes]:
    reply = await service.active.current.responder.respond(request)
    return reply.head.status, await read(reply)


async def until(fits: Callable[[], bool]) -> None:
    while not fits():
        await asyncio.sleep(0.001)


def test_a_herd_is_one_fetch_and_reads_while_it_comes() -> None:
    half_read = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 6\r\n\r\nhel")
        await half_read.wait()
        await peer.send(b"lo!")

    async def conversation(service: Service, origin: RawOrigin) -> tuple[list[int], set[bytes], int]:
        reply_builder = await asyncio.gather(
            *(service.active.current.responder.respond(get(origin)) for _ in range(50))
        )
        half_read.set()  # every head is there before the body is
        bodies = await asyncio.gather(*map(read, reply_builder))
        return sorted(reply.head.status for reply in reply_builder), set(bodies), origin.connections

    assert converse(conversation, slow) == ([200] + [203] * 49, {b"hello!"}, 1)


def test_the_fetch_goes_on_when_its_leader_has_left() -> None:
    left = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 6\r\n\r\nhel")
        await left.wait()
        await peer.send(b"lo!")

    async def conversation(service: Service, origin: RawOrigin) -> tuple[tuple[int, bytes], int]:
        leader = await service.active.current.responder.respond(get(origin))
        follower = await service.active.current.responder.respond(get(origin))
        assert not isinstance(leader.content, bytes)
        await leader.content.close()
        left.set()
        return (follower.head.status, await read(follower)), origin.connections

    assert converse(conversation, slow) == ((203, b"hello!"), 1)


def test_when_the_leader_leaves_before_the_answer_one_of_the_others_asks() -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def answering(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 2\r\n\r\nok")
        await peer.client_closed()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[list[tuple[int, bytes]], int]:
        leader = asyncio.ensure_future(service.active.current.responder.respond(get(origin)))
        await until(lambda: bool(origin.requests))
        others = [asyncio.ensure_future(answered(service, get(origin))) for _ in range(20)]
        await asyncio.sleep(0.01)
        leader.cancel()
        return sorted(await asyncio.gather(*others)), origin.connections

    assert converse(conversation, silent, answering) == ([(200, b"ok")] + [(203, b"ok")] * 19, 2)


def test_a_head_that_does_not_come_is_waited_for_only_so_long() -> None:
    """Ledger SEC-14."""

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def answering(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 2\r\n\r\nok")
        await peer.client_closed()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[int, bytes]:
        leader = asyncio.ensure_future(service.active.current.responder.respond(get(origin)))
        await until(lambda: bool(origin.requests))
        answer = await answered(service, get(origin))
        leader.cancel()
        return answer

    assert converse(conversation, silent, answering, collapse_timeout=0.05) == (200, b"ok")


def test_nobody_waits_for_what_could_not_be_shared_a_moment_ago() -> None:
    async def private(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok")
        await peer.request()
        await peer.client_closed()

    async def conversation(service: Service, origin: RawOrigin) -> int:
        await answered(service, get(origin))
        waiting = [asyncio.ensure_future(answered(service, get(origin))) for _ in range(3)]
        await until(lambda: len(origin.requests) == 4)  # all of them, although none was answered
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return len(origin.requests)

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    assert converse(conversation, private, silent) == 4


def test_that_is_forgotten_soon_and_bounded() -> None:
    single_flight = SingleFlight()
    for number in range(MAX_HIT_FOR_PASS + 1):
        single_flight.mark_hit_for_pass(f"http://a/{number}", 100.0)
    last = f"http://a/{MAX_HIT_FOR_PASS}"
    assert not single_flight.is_hit_for_pass("http://a/0", 100.0)
    assert single_flight.is_hit_for_pass(last, 100.0)
    assert not single_flight.is_hit_for_pass(last, 100.0 + HIT_FOR_PASS_SECONDS)


def test_what_is_purged_while_it_comes_is_not_joined() -> None:
    single_flight = SingleFlight()
    flight = single_flight.begin("http://a/", leads=True)
    single_flight.mark_purged(lambda key: key == "http://a/")
    assert single_flight.leader("http://a/") is None
    assert (flight.purged, asyncio.run(flight.result(1))) == (True, FlightResult.ASK_ANEW)


def test_a_slow_reader_of_what_is_too_large_to_store_keeps_the_origin_waiting() -> None:
    size, sent = 32 * 1024 * 1024, []

    async def generous(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Connection: close\r\n\r\n")
        for _ in range(size // 65_536):
            await peer.send(b"x" * 65_536)
            sent.append(65_536)
        await peer.close()

    async def conversation(service: Service, origin: RawOrigin) -> int:
        reply, before = await service.active.current.responder.respond(get(origin)), -1
        while before != len(sent):  # until it has stopped sending
            before = len(sent)
            await asyncio.sleep(0.1)
        assert sum(sent) < size
        return len(await read(reply))

    assert converse(conversation, generous) == size


def test_an_upload_passes_and_outdates_what_is_stored() -> None:
    async def storing(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 3\r\n\r\nold")
        await peer.client_closed()

    async def uploading(peer: Peer) -> None:
        await peer.request(up_to=b"~")
        await peer.send(OK)
        await peer.client_closed()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[int, bytes, bool]:
        await answered(service, get(origin))
        reply = await service.active.current.responder.respond(
            post_of(origin), content=RequestContent(pieces(b"abc~"), 4)
        )
        entries = await service.active.current.store.candidates(primary_key(get(origin)))
        return reply.head.status, await read(reply), entries[0].invalid

    assert converse(conversation, storing, uploading) == (200, b"ok", True)


def test_an_upload_without_an_answer_outdates_it_too() -> None:
    """Ledger INVAL-07."""

    async def storing(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 3\r\n\r\nold")
        await peer.client_closed()

    async def closing(peer: Peer) -> None:
        await peer.request(up_to=b"~")
        await peer.close()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[int, bool, int]:
        await answered(service, get(origin))
        reply = await service.active.current.responder.respond(
            post_of(origin), content=RequestContent(pieces(b"abc~"), 4)
        )
        entries = await service.active.current.store.candidates(primary_key(get(origin)))
        return reply.head.status, entries[0].invalid, origin.connections

    assert converse(conversation, storing, closing) == (502, True, 2)
