"""Single-flight among the workers of one store: two services with one store and a lease server, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.pipeline.reply import Reply
from addon.runtime.leases import client
from addon.runtime.leases.server import LeaseServer
from addon.service import Service
from cache.http.messages import Request
from cache.stores.purge_scopes import ALL, Scope
from tests.fixtures.origin_client import get
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, Script, answering
from tests.fixtures.until import until

FRESH = HEAD + b"Cache-Control: max-age=60\r\n"
FRESH_OK = FRESH + b"Content-Length: 2\r\n\r\nok"
NO_STORE_OK = HEAD + b"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok"
MANY = 50


@dataclass
class Workers:
    """Services with one store and one lease server."""

    origin: RawOrigin
    server: LeaseServer
    services: list[Service]

    async def wait_for_waiting(self) -> None:
        """Return once a worker waits for the other one."""
        await until(lambda: self.server.table.waiting == 1)

    async def lead_and_follow(self, request: Request) -> tuple[asyncio.Task[Reply], asyncio.Task[Reply]]:
        """Send a request through the first worker, and through the second one, which waits for the fetch."""
        first, second = self.services
        leader = asyncio.create_task(respond(first, request))
        await until(lambda: len(self.origin.requests) == 1)  # else the second one might get the lease
        follower = asyncio.create_task(respond(second, request))
        await self.wait_for_waiting()
        return leader, follower


type Conversation[T] = Callable[[Workers], Awaitable[T]]


@asynccontextmanager
async def running(folder: Path, origin: RawOrigin, cache: dict[str, Any]) -> AsyncIterator[Workers]:
    """Return two workers."""
    server = LeaseServer(folder)
    await server.start()
    settings = Settings.model_validate(
        {"store": {"path": str(folder / "store")}, "origin": {"proxy": "none"}, "cache": cache}
    )
    services = [Service(settings, lambda: 1_800_000_000.0, lease_socket=server.path) for _ in range(2)]
    for service in services:
        await service.start()
    try:
        yield Workers(origin, server, services)
    finally:
        for service in services:
            await service.close()
        await server.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not give up the server, which shares its event loop with the workers here."""
    monkeypatch.setattr(client, "SLOW", 60.0)


def run_conversation[T](folder: Path, conversation: Conversation[T], *scripts: Script, **cache: Any) -> T:
    """Run a conversation between workers and an origin that follows scripts; `cache` are settings."""

    async def main() -> T:
        patient = {"collapse_timeout": "1h"} | cache
        async with asyncio.timeout(60), RawOrigin(*scripts) as origin, running(folder, origin, patient) as workers:
            return await conversation(workers)

    return asyncio.run(main())


async def respond(service: Service, request: Request) -> Reply:
    reply = await service.active.current.responder.respond(request)
    return await service.active.current.responder.in_memory(request, reply)


async def herd(services: list[Service], request: Request, count: int = MANY) -> list[tuple[int, bytes]]:
    """Send a request so many times through each worker, all at once. Return status and content of the replies."""
    replies = await asyncio.gather(*(respond(service, request) for _ in range(count) for service in services))
    return [(reply.head.status, reply.content) for reply in replies if isinstance(reply.content, bytes)]


def after(event: asyncio.Event, *replies: bytes) -> Script:
    """Return a script that sends one of these responses for each request, once the event is set."""

    async def script(peer: Peer) -> None:
        for reply in replies:
            await peer.request()
            await event.wait()
            await peer.send(reply)
        await peer.client_closed()

    return script


def shown_as(reply: Reply) -> str:
    """Return the Cache-Status of a reply."""
    return reply.head.fields.get("cache-status") or ""


def test_a_herd_over_two_workers_makes_one_fetch(tmp_path: Path) -> None:
    async def conversation(workers: Workers) -> tuple[list[tuple[int, bytes]], int]:
        return await herd(workers.services, get(workers.origin)), len(workers.origin.requests)

    replies, fetches = run_conversation(tmp_path, conversation, answering(FRESH_OK))
    assert sorted(replies) == [(200, b"ok")] + [(203, b"ok")] * (2 * MANY - 1)
    assert fetches == 1


def test_a_worker_that_waited_answers_from_the_store_and_says_so(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def conversation(workers: Workers) -> tuple[str, str, int]:
        leader, follower = await workers.lead_and_follow(get(workers.origin))
        arrived.set()
        return (
            shown_as(await leader),
            shown_as(await follower),
            workers.services[1].counters.snapshot()["origin.fetches"],
        )

    leader, follower, fetches = run_conversation(tmp_path, conversation, after(arrived, FRESH_OK))
    assert "fwd=uri-miss; stored" in leader
    assert "fwd=uri-miss; fwd-status=200; collapsed" in follower
    assert fetches == 0


# ---- responses that are not shared


def test_a_response_that_may_not_be_stored_lets_the_other_worker_go_on_at_once_and_not_wait_again(
    tmp_path: Path,
) -> None:
    arrived = asyncio.Event()

    async def conversation(workers: Workers) -> list[tuple[int, bytes]]:
        request = get(workers.origin)
        leader, follower = await workers.lead_and_follow(request)
        arrived.set()
        await asyncio.gather(leader, follower)
        arrived.clear()
        again = asyncio.create_task(herd(workers.services, request, 2))
        await until(lambda: len(workers.origin.requests) == 6)
        assert not len(workers.server.table)  # neither asks for a lease any more
        arrived.set()
        return await again

    script = after(arrived, NO_STORE_OK, NO_STORE_OK)
    assert run_conversation(tmp_path, conversation, script) == [(200, b"ok")] * 4


def test_a_failed_fetch_lets_the_other_worker_try(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def failing(peer: Peer) -> None:
        await peer.request()
        await arrived.wait()
        peer.reset()

    async def conversation(workers: Workers) -> list[int]:
        leader, follower = await workers.lead_and_follow(get(workers.origin))
        arrived.set()
        return [reply.head.status for reply in await asyncio.gather(leader, follower)]

    assert run_conversation(tmp_path, conversation, failing, answering(FRESH_OK)) == [502, 200]


def test_a_stream_is_not_waited_for(tmp_path: Path) -> None:
    begun = asyncio.Event()
    stream = FRESH + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n"

    async def conversation(workers: Workers) -> int:
        request, replies = get(workers.origin), []
        for service in workers.services:
            asking = asyncio.create_task(service.active.current.responder.respond(request))
            replies.append(asking)
        await workers.wait_for_waiting()
        begun.set()
        for reply in await asyncio.gather(*replies):
            assert not isinstance(reply.content, bytes)
            assert await anext(reply.content.chunks) == b"event"
            await reply.content.close()
        return len(workers.origin.requests)

    assert run_conversation(tmp_path, conversation, after(begun, stream)) == 2


def test_clients_with_different_cookies_do_not_wait_for_each_other_across_workers(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def conversation(workers: Workers) -> int:
        asked = [
            asyncio.create_task(respond(service, get(workers.origin, "/", ("Cookie", cookie))))
            for cookie, service in zip(("a=1", "b=2"), workers.services, strict=True)
        ]
        await until(lambda: len(workers.origin.requests) == 2)
        assert not workers.server.table.waiting
        arrived.set()
        await asyncio.gather(*asked)
        return len(workers.origin.requests)

    assert run_conversation(tmp_path, conversation, after(arrived, FRESH_OK)) == 2


def test_clients_with_the_same_cookie_share_a_fetch_across_workers(tmp_path: Path) -> None:
    public = FRESH_OK.replace(b"max-age", b"public, max-age")

    async def conversation(workers: Workers) -> int:
        await herd(workers.services, get(workers.origin, "/", ("Cookie", "a=1")))
        return len(workers.origin.requests)

    assert run_conversation(tmp_path, conversation, answering(public)) == 1


# ---- large and slow responses


def test_the_other_worker_waits_until_a_large_response_is_stored(tmp_path: Path) -> None:
    second_half = asyncio.Event()
    half = bytes(400_000)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: 800000\r\n\r\n" + half)
        await second_half.wait()
        await peer.send(half)

    async def conversation(workers: Workers) -> tuple[list[tuple[int, bytes]], int]:
        asked = asyncio.create_task(herd(workers.services, get(workers.origin), 3))
        await workers.wait_for_waiting()
        second_half.set()
        return await asked, len(workers.origin.requests)

    replies, fetches = run_conversation(tmp_path, conversation, script)
    assert sorted(status for status, _ in replies) == [200] + [203] * 5
    assert {content for _, content in replies} == {half + half}
    assert fetches == 1


def test_the_other_worker_waits_no_longer_than_the_timeout(tmp_path: Path) -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(workers: Workers) -> int:
        request, (first, second) = get(workers.origin), workers.services
        leader = asyncio.create_task(respond(first, request))
        await until(lambda: len(workers.origin.requests) == 1)
        reply = await respond(second, request)
        leader.cancel()
        return reply.head.status

    assert run_conversation(tmp_path, conversation, silent, answering(FRESH_OK), collapse_timeout="0.05s") == 200


# ---- what is stored, purged or validated meanwhile


def test_a_stale_copy_is_validated_once(tmp_path: Path) -> None:
    stale = HEAD + b'Cache-Control: max-age=0\r\nETag: "1"\r\nContent-Length: 2\r\n\r\nok'
    confirmed = b'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\nETag: "1"\r\n\r\n'

    async def conversation(workers: Workers) -> tuple[list[tuple[int, bytes]], int]:
        request = get(workers.origin)
        await respond(workers.services[0], request)
        return await herd(workers.services, request, 3), len(workers.origin.requests)

    replies, fetches = run_conversation(tmp_path, conversation, answering(stale, confirmed))
    assert replies == [(203, b"ok")] * 6
    assert fetches == 2


def test_a_fetch_that_was_purged_meanwhile_has_no_more_followers_in_other_workers(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def conversation(workers: Workers) -> int:
        leader, follower = await workers.lead_and_follow(get(workers.origin))
        await workers.services[0].active.own.purge([Scope(ALL)])
        await until(lambda: len(workers.origin.requests) == 2)  # the follower goes to the origin itself
        arrived.set()
        await asyncio.gather(leader, follower)
        return len(workers.origin.requests)

    assert run_conversation(tmp_path, conversation, after(arrived, FRESH_OK)) == 2


def test_what_was_asked_for_before_another_worker_invalidated_it_is_validated_before_its_use(tmp_path: Path) -> None:
    """Ledger INVAL-08."""
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            if (await peer.request()).startswith(b"POST"):
                await peer.send(HEAD + b"Content-Length: 0\r\n\r\n")
            else:
                await arrived.wait()
                await peer.send(FRESH_OK)

    async def conversation(workers: Workers) -> int:
        request, (first, second) = get(workers.origin), workers.services
        before = asyncio.create_task(respond(first, request))
        await until(lambda: len(workers.origin.requests) == 1)
        await respond(second, get(workers.origin, method="POST"))
        arrived.set()
        await before
        await respond(first, request)
        return len(workers.origin.requests)

    assert run_conversation(tmp_path, conversation, script) == 3


# ---- workers and servers that end


def test_another_worker_goes_on_when_the_one_that_fetches_dies(tmp_path: Path) -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(workers: Workers) -> int:
        leader, follower = await workers.lead_and_follow(get(workers.origin))
        first = workers.services[0]
        assert first.lease_client is not None
        await first.lease_client.close()  # as if the process had ended
        reply = await follower
        leader.cancel()
        return reply.head.status

    assert run_conversation(tmp_path, conversation, silent, answering(FRESH_OK)) == 200


def test_all_workers_go_on_when_the_lease_server_ends(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def conversation(workers: Workers) -> tuple[list[tuple[int, bytes]], int]:
        asked = asyncio.create_task(herd(workers.services, get(workers.origin), 3))
        await workers.wait_for_waiting()
        await workers.server.close()
        await until(lambda: len(workers.origin.requests) == 2)  # one for each worker
        arrived.set()
        return await asked, len(workers.origin.requests)

    replies, fetches = run_conversation(tmp_path, conversation, after(arrived, FRESH_OK))
    assert [content for _, content in replies] == [b"ok"] * 6
    assert fetches == 2


@pytest.mark.parametrize("method", ["POST", "GET"], ids=["invalidated", "purged"])
def test_a_request_that_waits_for_another_worker_is_answered_when_its_key_changes(tmp_path: Path, method: str) -> None:
    arrived = asyncio.Event()

    async def conversation(workers: Workers) -> object:
        request, second = get(workers.origin), workers.services[1]
        leader, follower = await workers.lead_and_follow(request)
        if method == "POST":
            await respond(second, replace(request, method="POST"))
        else:
            await second.commands["purge"]({"url": request.uri})
        reply = await follower
        arrived.set()
        await leader
        return reply.content

    content = run_conversation(tmp_path, conversation, after(arrived, FRESH_OK), answering(FRESH_OK, FRESH_OK))
    assert content == b"ok"
