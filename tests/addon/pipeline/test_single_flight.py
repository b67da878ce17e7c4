"""Single-flight: one fetch for many requests, its leader and its followers.

See docs/decisions.md, "Requests for the same thing share one fetch".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.origin import RequestContent
from addon.pipeline.flight import FlightResult
from addon.pipeline.reply import Reply
from addon.pipeline.single_flight import HIT_FOR_PASS_SECONDS, MAX_HIT_FOR_PASS, SingleFlight
from addon.service import Service
from cache.http.messages import Request
from cache.rules.key import primary_key
from tests.fixtures.origin_client import chunked, get, post_of
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin, Script, answering
from tests.fixtures.until import LONGEST, settle, until

FRESH = HEAD + b"Cache-Control: max-age=60\r\n"
FRESH_OK = FRESH + b"Content-Length: 2\r\n\r\nok"


# ---- conversations


def run_conversation[T](
    conversation: Callable[[Service, RawOrigin], Awaitable[T]], *scripts: Script, **cache: Any
) -> T:
    """Run a conversation between a service and an origin that follows scripts; `cache` are settings."""

    async def main() -> T:
        settings = {"store": {"kind": "memory", "max_size": 2**24}, "origin": {"proxy": "none"}, "cache": cache}
        service = Service(Settings.model_validate(settings), lambda: 1_800_000_000.0)
        async with asyncio.timeout(LONGEST), RawOrigin(*scripts) as origin:
            try:
                return await conversation(service, origin)
            finally:
                await service.active.current.responder.close()
                service.active.current.store.close()

    return asyncio.run(main())


async def respond(service: Service, request: Request, content: RequestContent | None = None) -> Reply:
    return await service.active.current.responder.respond(request, content=content)


async def read(reply: Reply) -> bytes:
    """Return the content of a reply."""
    if isinstance(reply.content, bytes):
        return reply.content
    try:
        return b"".join([chunk async for chunk in reply.content.chunks])
    finally:
        await reply.content.close()


async def fetch(service: Service, request: Request) -> tuple[int, bytes]:
    """Send a request; return status and content of the reply."""
    reply = await respond(service, request)
    return reply.head.status, await read(reply)


# ---- origins


async def silent(peer: Peer) -> None:
    """Read a request, and never answer it."""
    await peer.request()
    await peer.client_closed()


def half_first(second_half: asyncio.Event) -> Script:
    """Return a script that sends the second half of its content after the event."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 6\r\n\r\nhel")
        await second_half.wait()
        await peer.send(b"lo!")

    return script


def answering_when_all_have_asked(count: int) -> Script:
    """Return a script that answers no request before `count` have arrived, one on each connection."""
    all_have_asked = asyncio.Barrier(count)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await all_have_asked.wait()
            await peer.send(FRESH + b"Vary: User-Agent\r\nContent-Length: 2\r\n\r\nok")

    return script


# ---- leaders and followers


def test_many_requests_share_one_fetch_and_read_it_while_it_arrives() -> None:
    second_half = asyncio.Event()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[list[int], set[bytes], int]:
        replies = await asyncio.gather(*(respond(service, get(origin)) for _ in range(50)))
        second_half.set()  # all replies have their heads before the content is complete
        bodies = await asyncio.gather(*map(read, replies))
        return sorted(reply.head.status for reply in replies), set(bodies), origin.connections

    assert run_conversation(conversation, half_first(second_half)) == ([200] + [203] * 49, {b"hello!"}, 1)


def test_the_fetch_goes_on_when_its_leader_disconnects() -> None:
    second_half = asyncio.Event()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[int, bytes, int]:
        leader, follower = await respond(service, get(origin)), await respond(service, get(origin))
        assert not isinstance(leader.content, bytes)
        await leader.content.close()
        second_half.set()
        return follower.head.status, await read(follower), origin.connections

    assert run_conversation(conversation, half_first(second_half)) == (203, b"hello!", 1)


def test_one_of_the_followers_fetches_when_the_leader_disconnects_before_the_response() -> None:
    async def conversation(service: Service, origin: RawOrigin) -> tuple[list[tuple[int, bytes]], int]:
        leader = asyncio.ensure_future(respond(service, get(origin)))
        await until(lambda: bool(origin.requests))
        followers = [asyncio.ensure_future(fetch(service, get(origin))) for _ in range(20)]
        await settle()
        leader.cancel()
        return sorted(await asyncio.gather(*followers)), origin.connections

    responses = [(200, b"ok")] + [(203, b"ok")] * 19
    assert run_conversation(conversation, silent, answering(FRESH_OK)) == (responses, 2)


def test_a_follower_waits_for_a_response_head_no_longer_than_the_timeout() -> None:
    """Ledger SEC-14."""

    async def conversation(service: Service, origin: RawOrigin) -> tuple[int, bytes]:
        leader = asyncio.ensure_future(respond(service, get(origin)))
        await until(lambda: bool(origin.requests))
        response = await fetch(service, get(origin))
        leader.cancel()
        return response

    assert run_conversation(conversation, silent, answering(FRESH_OK), collapse_timeout=0.05) == (200, b"ok")


def test_a_purged_fetch_has_no_more_followers() -> None:
    single_flight = SingleFlight()
    flight = single_flight.begin("http://a/", leads=True)
    single_flight.forget_purged(lambda key: key == "http://a/")
    assert single_flight.leader("http://a/") is None
    assert flight.result == FlightResult.ASK_ANEW


def test_a_fetch_from_before_a_purge_of_another_process_is_not_waited_for() -> None:
    purges = [4]
    single_flight = SingleFlight(lambda: purges[-1], lambda _key, number: number < purges[-1])
    flight = single_flight.begin("http://a/", leads=True)
    assert (single_flight.leader("http://a/"), flight.last_purge) == (flight, 4)
    purges.append(5)
    assert single_flight.leader("http://a/") is None
    newer = single_flight.begin("http://a/", leads=True)
    assert single_flight.leader("http://a/") is newer


# ---- hit-for-pass


def test_requests_do_not_wait_for_each_other_after_an_unshareable_response() -> None:
    async def unshareable(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok")
        await silent(peer)

    async def conversation(service: Service, origin: RawOrigin) -> int:
        await fetch(service, get(origin))
        waiting = [asyncio.ensure_future(fetch(service, get(origin))) for _ in range(3)]
        await until(lambda: len(origin.requests) == 4)  # all of them are sent, although none gets a response
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return len(origin.requests)

    assert run_conversation(conversation, unshareable, silent) == 4


def test_hit_for_pass_ends_after_some_seconds_and_is_bounded() -> None:
    single_flight = SingleFlight()
    for number in range(2 * MAX_HIT_FOR_PASS + 1):
        single_flight.mark_hit_for_pass(single_flight.begin(f"http://a/{number}", leads=True), 100.0)
    last = f"http://a/{2 * MAX_HIT_FOR_PASS}"
    assert not single_flight.is_hit_for_pass("http://a/0", 100.0)
    assert single_flight.is_hit_for_pass(last, 100.0)
    assert not single_flight.is_hit_for_pass(last, 100.0 + HIT_FOR_PASS_SECONDS)


def test_a_fetch_without_followers_does_not_set_hit_for_pass() -> None:
    single_flight = SingleFlight()
    single_flight.mark_hit_for_pass(single_flight.begin("http://a/", leads=False), 100.0)
    assert not single_flight.is_hit_for_pass("http://a/", 100.0)


def test_the_first_shareable_response_ends_hit_for_pass_for_its_audience_and_for_all() -> None:
    single_flight = SingleFlight()
    anyone, alice, bob = (single_flight.begin("http://a/", leads=True, audience=audience) for audience in (0, 1, 2))
    for flight in (anyone, alice, bob):
        single_flight.mark_hit_for_pass(flight, 100.0)
    single_flight.clear_hit_for_pass(alice)
    assert [single_flight.is_hit_for_pass("http://a/", 100.0, audience) for audience in (0, 1, 2)] == [
        False,
        False,
        True,
    ]
    single_flight.forget_purged(lambda key: key == "http://a/")
    assert not single_flight.is_hit_for_pass("http://a/", 100.0, 2)


def with_cookie(request: Request, cookie: str) -> Request:
    return request.with_fields(request.fields.appending(("Cookie", cookie)))


def test_clients_with_different_cookies_do_not_wait_for_each_other() -> None:
    """Ledger REVAL-15."""

    async def conversation(service: Service, origin: RawOrigin) -> int:
        cookies = ["a=1", "a=2", "a=1", "a=2"]
        requests = [*(with_cookie(get(origin), cookie) for cookie in cookies), get(origin), get(origin)]
        waiting = [asyncio.ensure_future(fetch(service, request)) for request in requests]
        await until(lambda: len(origin.requests) == 3)
        await settle()
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return len(origin.requests)

    assert run_conversation(conversation, silent) == 3


def test_clients_with_different_cookies_share_the_validation_of_what_is_stored() -> None:
    """Ledger REVAL-15."""
    late = asyncio.Event()

    async def stale(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b'ETag: "1"\r\nCache-Control: max-age=0\r\nContent-Length: 2\r\n\r\nok')
        await peer.request()
        await late.wait()
        await peer.send(
            b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nCache-Control: max-age=60\r\n\r\n',
        )
        await peer.client_closed()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[set[bytes], int]:
        await fetch(service, get(origin))
        waiting = [
            asyncio.ensure_future(fetch(service, with_cookie(get(origin), f"a={number}"))) for number in range(5)
        ]
        await until(lambda: len(origin.requests) == 2)
        await settle()
        late.set()
        return {body for _, body in await asyncio.gather(*waiting)}, len(origin.requests)

    assert run_conversation(conversation, stale) == ({b"ok"}, 2)


def test_hit_for_pass_after_an_error_ends_after_a_few_seconds() -> None:
    async def failing(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\n\r\n")
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: no-store\r\nContent-Length: 0\r\n\r\n")

    async def conversation(service: Service, origin: RawOrigin) -> list[bool]:
        remembered = []
        for target in ("/a", "/b"):
            request = get(origin, target)
            await fetch(service, request)
            single_flight, now = service.active.current.fetcher.single_flight, service.clock()
            remembered += [
                single_flight.is_hit_for_pass(primary_key(request), now + seconds) for seconds in (4.9, 5.1, 119.0)
            ]
        return remembered

    assert run_conversation(conversation, failing) == [True, False, False, True, True, True]


# ---- content


def test_a_slow_reader_of_a_response_that_is_too_large_to_store_slows_the_origin() -> None:
    size, sent = 32 * 1024 * 1024, []

    async def sends_all(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Connection: close\r\n\r\n")
        for _ in range(size // 65_536):
            await peer.send(b"x" * 65_536)
            sent.append(65_536)
        await peer.close()

    async def conversation(service: Service, origin: RawOrigin) -> int:
        reply, before = await respond(service, get(origin)), -1
        while before != len(sent):  # until the origin has to wait
            before = len(sent)
            await asyncio.sleep(0.1)
        assert sum(sent) < size
        return len(await read(reply))

    assert run_conversation(conversation, sends_all) == size


@pytest.mark.parametrize(("response", "status"), [(OK, 200), (b"", 502)], ids=["response", "no response"])
def test_a_request_body_is_sent_and_invalidates_the_stored_response(response: bytes, status: int) -> None:
    """Ledger INVAL-07: without a response too, since the origin may have carried out the request."""

    async def reads_content(peer: Peer) -> None:
        await peer.request(up_to=b"~")
        if response:
            await peer.send(response)
            await peer.client_closed()
        await peer.close()

    async def conversation(service: Service, origin: RawOrigin) -> tuple[int, bool, int]:
        await fetch(service, get(origin))
        reply = await respond(service, post_of(origin), RequestContent(chunked(b"abc~"), 4))
        assert await read(reply) == b"ok" or not response
        entries = await service.active.current.store.candidates(primary_key(get(origin)))
        return reply.head.status, entries[0].invalid, origin.connections

    assert run_conversation(conversation, answering(FRESH_OK), reads_content) == (status, True, 2)


def test_after_an_outage_no_request_waits_for_a_fetch_from_before_it() -> None:
    async def run() -> FlightResult:
        flights = SingleFlight()
        concerned, other = flights.begin("http://a.test/", leads=True), flights.begin("http://b.test/", leads=True)
        waiting_list = flights.waiting_list("http://a.test/")
        assert waiting_list is not None
        waiting = asyncio.ensure_future(waiting_list.answer(3600))
        await asyncio.sleep(0)
        flights.stop_leading(lambda key: key.startswith("http://a.test/"))
        assert flights.leader("http://a.test/") is None
        assert flights.leader("http://b.test/") is other
        flights.finish(concerned)
        result, _ = await waiting
        return result

    assert asyncio.run(run()) is FlightResult.ASK_ANEW


# ---- requests that do not wait for each other


async def statuses(service: Service, *requests: Request) -> list[int]:
    """Send requests at the same time, and return the statuses of their replies. Fails if they wait for each other."""
    async with asyncio.timeout(30):
        return [status for status, _ in await asyncio.gather(*(fetch(service, request) for request in requests))]


@pytest.mark.row("SEC-14")
def test_requests_for_variants_that_what_is_stored_tells_apart_do_not_wait_for_each_other() -> None:
    async def conversation(service: Service, origin: RawOrigin) -> list[int]:
        await fetch(service, get(origin, "/", ("User-Agent", "stored")))
        return await statuses(service, *(get(origin, "/", ("User-Agent", name)) for name in ("one", "two", "three")))

    first = answering(FRESH + b"Vary: User-Agent\r\nContent-Length: 2\r\n\r\nok", then_close=True)
    others = answering_when_all_have_asked(3)
    assert run_conversation(conversation, first, others, collapse_timeout=3600) == [200, 200, 200]


@pytest.mark.row("SEC-07")
def test_requests_for_spellings_of_a_url_do_not_wait_for_each_other() -> None:
    async def conversation(service: Service, origin: RawOrigin) -> list[int]:
        return await statuses(service, *(get(origin, target) for target in ("/ab", "/%61b", "/a%62")))

    script = answering_when_all_have_asked(3)
    assert run_conversation(conversation, script, collapse_timeout=3600) == [200, 200, 200]
