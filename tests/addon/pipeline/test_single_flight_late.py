"""Single-flight when a fetch takes long or fails: a herd makes a handful of fetches, and a stuck fetch holds nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from addon.config.settings import Settings
from addon.pipeline.reply import Reply
from addon.service import Service
from cache.http.messages import Request
from cache.rules.key import primary_key
from tests.fixtures.origin_client import get
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, Script, answering
from tests.fixtures.until import until
from tests.lanes.manual_clock import ManualClock

FRESH_OK = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
MANY = 30
LIMIT = 0.01
"""Seconds after which a fetch is late; the clock moves by more."""


@dataclass
class Herd:
    """Many clients that want the same, and time that passes only when it is said."""

    service: Service
    origin: RawOrigin
    clock: ManualClock

    @property
    def request(self) -> Request:
        return get(self.origin)

    async def send(self, count: int) -> list[asyncio.Task[Reply]]:
        """Send so many requests, and return once all wait, or fetch."""
        responder, before = self.service.active.current.responder, self.waiting()
        fetches = 0 if before else 1
        tasks = [asyncio.create_task(responder.respond(self.request)) for _ in range(count)]
        await until(lambda: self.waiting() == before + count - fetches)
        return tasks

    def waiting(self) -> int:
        """Return how many requests wait for the fetch of another one."""
        waiting_list = self.service.active.current.fetcher.single_flight.waiting_list(primary_key(self.request))
        return waiting_list.waiting if waiting_list is not None else 0

    async def fetches(self, count: int) -> None:
        """Return once the origin has got so many requests."""
        await until(lambda: len(self.origin.requests) == count)


def run_conversation[T](conversation: Callable[[Herd], Awaitable[T]], *scripts: Script) -> T:
    """Run a conversation of a herd with an origin that follows scripts."""

    async def main() -> T:
        settings = {
            "store": {"kind": "memory", "max_size": 2**24},
            "origin": {"proxy": "none"},
            "cache": {"collapse_timeout": LIMIT, "mode": "online"},
        }
        clock = ManualClock()
        service = Service(Settings.model_validate(settings), lambda: 1_800_000_000.0)
        service.active.current.fetcher.single_flight.now = clock
        async with asyncio.timeout(60), RawOrigin(*scripts) as origin:
            try:
                return await conversation(Herd(service, origin, clock))
            finally:
                await service.active.current.responder.close()
                service.active.current.store.close()

    return asyncio.run(main())


def after(event: asyncio.Event) -> Script:
    """Return a script that answers one request once the event is set."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await event.wait()
        await peer.send(FRESH_OK)
        await peer.client_closed()

    return script


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.client_closed()


def failing_after(event: asyncio.Event) -> Script:
    """Return a script that ends the connection after a request once the event is set."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await event.wait()
        peer.reset()

    return script


def statuses(replies: list[Reply]) -> list[int]:
    return sorted(reply.head.status for reply in replies)


@pytest.mark.row("REVAL-15")
def test_one_of_a_herd_fetches_when_the_first_fetch_is_stuck_and_serves_the_others() -> None:
    async def conversation(herd: Herd) -> tuple[list[int], int]:
        stuck, *others = await herd.send(MANY)
        await herd.fetches(1)
        herd.clock.advance(1.0)
        replies = await asyncio.gather(*others)
        stuck.cancel()
        return statuses(replies), len(herd.origin.requests)

    expected = [200] + [203] * (MANY - 2)
    assert run_conversation(conversation, silent, answering(FRESH_OK)) == (expected, 2)


@pytest.mark.row("SEC-14")
def test_a_herd_makes_one_more_fetch_each_time_that_the_newest_is_late() -> None:
    async def conversation(herd: Herd) -> int:
        tasks = await herd.send(MANY)
        for fetches in (1, 2, 3):
            await herd.fetches(fetches)
            herd.clock.advance(1.0)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await until(lambda: sum(task.done() for task in tasks) == MANY - 3)
        for task in tasks:
            task.cancel()
        return len(herd.origin.requests)

    assert run_conversation(conversation, silent, silent, silent, answering(FRESH_OK)) == 4


def test_the_first_fetch_serves_those_that_wait_if_it_is_the_first_to_get_its_response() -> None:
    first_answers = asyncio.Event()

    async def conversation(herd: Herd) -> tuple[list[int], int]:
        tasks = await herd.send(MANY)
        await herd.fetches(1)
        herd.clock.advance(1.0)
        await herd.fetches(2)
        first_answers.set()
        await until(lambda: sum(task.done() for task in tasks) == MANY - 1)
        served = [task.result() for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        return statuses(served), len(herd.origin.requests)

    expected = [200] + [203] * (MANY - 2)
    assert run_conversation(conversation, after(first_answers), silent) == (expected, 2)


def test_a_request_that_comes_when_a_fetch_is_late_leads_at_once() -> None:
    async def conversation(herd: Herd) -> tuple[int, int]:
        (stuck,) = await herd.send(1)
        await herd.fetches(1)
        herd.clock.advance(1.0)
        reply = await herd.service.active.current.responder.respond(herd.request)
        stuck.cancel()
        return reply.head.status, len(herd.origin.requests)

    assert run_conversation(conversation, silent, answering(FRESH_OK)) == (200, 2)


# ---- fetches that fail


def test_one_of_a_herd_tries_again_when_the_fetch_fails() -> None:
    fails = asyncio.Event()

    async def conversation(herd: Herd) -> tuple[list[int], int]:
        tasks = await herd.send(MANY)
        await herd.fetches(1)
        fails.set()
        return statuses(await asyncio.gather(*tasks)), len(herd.origin.requests)

    expected = [200] + [203] * (MANY - 2) + [502]
    assert run_conversation(conversation, failing_after(fails), answering(FRESH_OK)) == (expected, 2)


@pytest.mark.row("SEC-14")
def test_all_of_a_herd_get_the_error_when_the_fetch_fails_twice() -> None:
    fails, fails_again = asyncio.Event(), asyncio.Event()

    async def conversation(herd: Herd) -> tuple[list[int], int]:
        tasks = await herd.send(MANY)
        await herd.fetches(1)
        fails.set()
        await herd.fetches(2)
        await until(lambda: herd.waiting() == MANY - 2)
        fails_again.set()
        return statuses(await asyncio.gather(*tasks)), len(herd.origin.requests)

    scripts = failing_after(fails), failing_after(fails_again), answering(FRESH_OK)
    assert run_conversation(conversation, *scripts) == ([502] * MANY, 2)
