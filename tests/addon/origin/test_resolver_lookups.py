"""Lookups under way: who shares one, and who waits for others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.origin.dns_answer import Answer
from addon.origin.resolver import MAX_LOOKUPS
from tests.addon.origin.resolver_world import FOUND, Converse, World
from tests.fixtures.raw_origin import SHORT_TIMEOUT
from tests.fixtures.until import settle


def test_requests_for_one_name_share_a_lookup(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        answer = world.servers.answers["a.test"] = asyncio.Future[Answer]()
        waiting = [asyncio.create_task(world.find()) for _ in range(5)]
        await asyncio.sleep(0)
        answer.set_result(FOUND)
        assert await asyncio.gather(*waiting) == ["10.0.0.1"] * 5
        assert world.servers.asked == ["a.test"]

    converse(conversation)


def test_the_lookup_goes_on_when_the_request_that_began_it_is_cancelled(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        answer = world.servers.answers["a.test"] = asyncio.Future[Answer]()
        first, second = asyncio.create_task(world.find()), asyncio.create_task(world.find())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        third = asyncio.create_task(world.find())
        await asyncio.sleep(0)
        answer.set_result(FOUND)
        assert [await second, await third] == ["10.0.0.1"] * 2
        assert world.servers.asked == ["a.test"]

    converse(conversation)


def test_slow_names_delay_no_other_name(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        names = [f"{number}.test" for number in range(100)]
        world.servers.answers = {name: asyncio.Future[Answer]() for name in names} | {"a.test": FOUND}
        waiting = [asyncio.create_task(world.find(name)) for name in names]
        await asyncio.sleep(0)
        assert await world.find() == "10.0.0.1"
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()

    converse(conversation)


def test_silent_names_without_number_do_not_stop_the_lookup_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addon.origin.resolver.FAIR_SHARE", SHORT_TIMEOUT)

    async def conversation() -> None:
        world = World(tmp_path / "hosts")
        silent = [f"{number}.test" for number in range(2 * MAX_LOOKUPS + 10)]
        world.servers.answers = {name: asyncio.Future[Answer]() for name in silent} | {"a.test": FOUND}
        waiting = [asyncio.create_task(world.find(name)) for name in silent]
        await settle()
        assert await world.find() == "10.0.0.1"
        first, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in first:
            assert "other names are waiting" in task.result()
        for task in waiting:
            task.cancel()
        await world.resolver.close()

    asyncio.run(conversation())


def test_a_slow_lookup_has_all_its_time_while_no_other_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.origin.resolver.FAIR_SHARE", 0.001)

    async def conversation() -> None:
        world = World(tmp_path / "hosts")
        names = [f"{number}.test" for number in range(MAX_LOOKUPS)]
        answer = asyncio.Future[Answer]()
        world.servers.answers = dict.fromkeys(names, answer)
        waiting = [asyncio.create_task(world.find(name)) for name in names]
        await asyncio.sleep(SHORT_TIMEOUT)
        answer.set_result(FOUND)
        assert await asyncio.gather(*waiting) == ["10.0.0.1"] * MAX_LOOKUPS

    asyncio.run(conversation())


def test_lookups_beyond_the_limit_wait_their_turn(tmp_path: Path) -> None:
    async def conversation() -> None:
        world = World(tmp_path / "hosts")
        names = [f"{number}.test" for number in range(MAX_LOOKUPS + 1)]
        answer = asyncio.Future[Answer]()
        world.servers.answers = dict.fromkeys(names, answer)
        waiting = [asyncio.create_task(world.find(name)) for name in names]
        await settle()
        assert len(world.servers.asked) == MAX_LOOKUPS
        answer.set_result(FOUND)
        assert await asyncio.gather(*waiting) == ["10.0.0.1"] * (MAX_LOOKUPS + 1)

    asyncio.run(conversation())


def test_closing_ends_the_lookups(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = asyncio.Future[Answer]()
        waiting = asyncio.create_task(world.find())
        await asyncio.sleep(0)
        await world.resolver.close()
        assert await waiting == "The proxy is shutting down."

    converse(conversation)
