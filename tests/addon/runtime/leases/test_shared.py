"""Leases that the engine of a shared store grants: two nodes, each with an event loop's view of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest

from addon.runtime.leases import shared
from addon.runtime.leases.answers import Answer, LeaseName
from addon.runtime.leases.frames import Result
from addon.runtime.leases.shared import SharedLease, SharedLeases
from tests.fixtures.redis_server import RedisServer, server_of_test
from tests.fixtures.redis_stores import redis_store
from tests.fixtures.until import LONGEST, until

NAME = LeaseName("http://a.example/", b"\1" * 16)
LONG = 60.0


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let leases live on while the machine is so busy that their holders cannot say that they are alive."""
    monkeypatch.setattr(shared, "LIFE", LONG)


class Ask:
    """One ask, and the answer to it."""

    def __init__(self, leases: SharedLeases, limit: float = LONG) -> None:
        self.answers: asyncio.Queue[tuple[Answer, int]] = asyncio.Queue()
        self.lease: SharedLease = leases.ask(NAME, limit, lambda *answer: self.answers.put_nowait(answer))

    async def answer(self) -> tuple[Answer, int]:
        return await asyncio.wait_for(self.answers.get(), LONG)

    async def waits(self, server: RedisServer) -> None:
        """Return when the engine knows that somebody waits for the lease."""
        await until(lambda: bool(server.client().exists(self.lease.wait)))


server = pytest.fixture(server_of_test)


type Conversation = Callable[[SharedLeases, SharedLeases], Awaitable[None]]


def run(server: RedisServer, conversation: Conversation) -> None:
    """Run a conversation between two nodes."""

    async def main() -> None:
        with closing(redis_store(server.url)) as one, closing(redis_store(server.url)) as other:
            first, second = SharedLeases(one), SharedLeases(other)
            await first.start()
            await second.start()
            assert first.is_ready
            async with asyncio.timeout(LONGEST):
                await conversation(first, second)
            await first.close()
            await second.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("result", "seconds", "answer"),
    [
        (Result.STORED, 0.0, (Answer.STORED, 0)),
        (Result.NOT_SHARED, 0.0, (Answer.NOT_SHARED, 0)),
        (Result.NOT_SHARED, 120.0, (Answer.NOT_SHARED, 120)),
        (Result.PASSED_ON, 0.0, (Answer.GRANTED, 0)),
    ],
)
def test_who_waits_hears_how_a_lease_ends(
    server: RedisServer, result: Result, seconds: float, answer: tuple[Answer, int]
) -> None:
    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        held = Ask(first)
        assert await held.answer() == (Answer.GRANTED, 0)
        waiting = Ask(second)
        await waiting.waits(server)
        assert waiting.answers.empty()
        held.lease.end(result, seconds)
        assert await waiting.answer() == answer

    run(server, conversation)


@pytest.mark.parametrize("result", [Result.STORED, Result.NOT_SHARED, Result.PASSED_ON])
def test_a_lease_that_has_ended_is_granted_anew(server: RedisServer, result: Result) -> None:
    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        held = Ask(first)
        await held.answer()
        held.lease.end(result)
        # else it would wait, and hear of the end
        await until(lambda: not (server.client().get(held.lease.name) or b"").startswith(b"h"))
        assert await Ask(second).answer() == (Answer.GRANTED, 0)

    run(server, conversation)


def test_for_some_seconds_nobody_waits_for_what_cannot_be_shared(server: RedisServer) -> None:
    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        held = Ask(first)
        await held.answer()
        held.lease.end(Result.NOT_SHARED, 120)
        await until(lambda: server.client().get(held.lease.name) == b"n120")
        assert await Ask(second).answer() == (Answer.NOT_SHARED, 120)

    run(server, conversation)


def test_a_lease_ends_some_seconds_after_its_holder_has_died(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "LIFE", 0.2)

    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        assert await Ask(first).answer() == (Answer.GRANTED, 0)  # and it never says that it is alive
        assert await Ask(second).answer() == (Answer.GRANTED, 0)

    monkeypatch.setattr(shared, "RENEWAL", LONG)
    run(server, conversation)


def test_a_lease_lives_on_while_its_holder_does(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "RENEWAL", 0.1)

    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        held, client = Ask(first), server.client()
        await held.answer()
        waiting = Ask(second)
        for _ in range(3):
            client.expire(held.lease.name, int(LONG / 2))
            await until(lambda: client.ttl(held.lease.name) > LONG / 2)
        assert waiting.answers.empty()
        held.lease.end(Result.STORED)
        assert await waiting.answer() == (Answer.STORED, 0)

    run(server, conversation)


def test_nobody_waits_for_longer_than_the_limit(server: RedisServer) -> None:
    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        await Ask(first).answer()
        assert await Ask(second, limit=0.1).answer() == (Answer.NOT_SHARED, 0)

    run(server, conversation)


def test_without_the_engine_everybody_goes_on_alone(server: RedisServer) -> None:
    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        await Ask(first).answer()
        waiting = Ask(second)
        await waiting.waits(server)
        server.kill()
        assert await waiting.answer() == (Answer.ALONE, 0)
        await until(lambda: not second.is_ready)

    run(server, conversation)


def test_who_ends_its_ask_waits_no_more(server: RedisServer) -> None:
    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        held = Ask(first)
        await held.answer()
        waiting = Ask(second)
        await waiting.waits(server)
        waiting.lease.end(Result.PASSED_ON)
        assert await waiting.answer() == (Answer.ALONE, 0)
        held.lease.end(Result.PASSED_ON)
        assert await Ask(first).answer() == (Answer.GRANTED, 0)

    run(server, conversation)


def test_all_nodes_are_told_once_that_somebody_waits(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "RENEWAL", LONG)  # so that asks are the only scripts that run

    async def conversation(first: SharedLeases, second: SharedLeases) -> None:
        held = Ask(first)
        assert await held.answer() == (Answer.GRANTED, 0)
        waiting = [Ask(second, LONG)]
        client = server.client()
        await until(lambda: bool(client.exists(held.lease.wait)))
        client.config_resetstat()
        waiting += [Ask(second, 100 * LONG), Ask(first, 100 * LONG)]
        await until(lambda: client.info("commandstats").get("cmdstat_evalsha", {}).get("calls") == 2)
        assert client.pttl(held.lease.wait) <= LONG * 1000 + 1  # set by the first one, and not anew by the others
        held.lease.end(Result.STORED)
        for each in waiting:
            assert await each.answer() == (Answer.STORED, 0)

    run(server, conversation)
