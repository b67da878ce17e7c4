"""The resolver: which source answers, for how long an answer is used, and who waits for which lookup."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.origin import FailureKind, OriginFailure
from addon.origin.dns_answer import Answer
from addon.origin.reachability import TRIAL_INTERVAL
from addon.origin.resolver import (
    MAX_NAMES,
    MAX_TTL,
    MIN_TTL,
    NOT_FOUND_TTL,
    STALE_FOR,
    STALE_RECHECK,
)
from addon.service import Service
from tests.addon.origin.resolver_world import (
    FAILED,
    FOUND,
    NOT_FOUND,
    OTHER,
    TIMED_OUT,
    Converse,
    FakeNameServers,
    World,
)
from tests.fixtures.raw_origin import SHORT_TIMEOUT
from tests.lanes.manual_clock import ManualClock

# The sources


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::1", "::1"),
        ("fe80::1%lo", "fe80::1%lo"),
        ("127.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("localhost", "127.0.0.1 ::1"),
        ("LOCALHOST.", "127.0.0.1 ::1"),
        ("a.localhost", "127.0.0.1 ::1"),
    ],
)
def test_addresses_and_localhost_need_no_name_server(host: str, addresses: str, converse: Converse) -> None:
    async def conversation(world: World) -> None:
        assert await world.find(host) == addresses
        assert world.servers.asked == []

    converse(conversation)


@pytest.mark.parametrize("host", [".localhost", "a..b", "x" * 64 + ".localhost", ""])
def test_an_invalid_name_is_refused_at_once(host: str, converse: Converse) -> None:
    async def conversation(world: World) -> None:
        assert await world.find(host) == f"The name {host} could not be resolved: it is not a valid name"

    converse(conversation)


def test_the_hosts_file_comes_first(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.hosts.write_text("10.9.9.9 a.test localhost\n")
        world.servers.answers["a.test"] = FOUND
        assert [await world.find(host) for host in ("A.test", "a.test.", "localhost")] == ["10.9.9.9"] * 3
        world.hosts.unlink()
        assert await world.find() == "10.0.0.1"

    converse(conversation)


def test_a_name_that_no_server_knows_is_asked_of_the_system(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers = {"printer.local": NOT_FOUND, "broken.local": FAILED}
        world.system.known = {"printer.local": ("10.0.0.9",), "broken.local": ("10.0.0.9",)}
        assert await world.find("printer.local") == "10.0.0.9"
        assert await world.find("broken.local") == f"The name broken.local could not be resolved: {FAILED.problem}"

    converse(conversation)


@pytest.mark.parametrize(
    ("answer", "kind", "parameters"),
    [
        (NOT_FOUND, FailureKind.DNS_ERROR, (("rcode", "NXDOMAIN"),)),
        (FAILED, FailureKind.DNS_ERROR, (("rcode", "SERVFAIL"),)),
        (TIMED_OUT, FailureKind.DNS_TIMEOUT, ()),
    ],
)
def test_a_failure_has_its_error_type(
    answer: Answer, kind: FailureKind, parameters: tuple[tuple[str, str], ...], converse: Converse
) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = answer
        with pytest.raises(OriginFailure) as caught:
            await world.resolver.addresses("a.test")
        failure = caught.value
        assert (failure.kind, failure.parameters, failure.disconnected) == (kind, parameters, True)
        assert failure.detail == f"The name a.test could not be resolved: {answer.problem}"

    converse(conversation)


# How long an answer is used


@pytest.mark.parametrize(("ttl", "used"), [(0, MIN_TTL), (60, 60), (86_400, MAX_TTL)])
def test_addresses_are_used_for_their_ttl_within_bounds(ttl: float, used: float, converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = Answer(("10.0.0.1",), ttl)
        assert await world.find() == "10.0.0.1"
        world.servers.answers["a.test"] = OTHER
        world.clock.advance(used - 0.5)
        assert await world.find("A.TEST") == "10.0.0.1"
        world.clock.advance(1)
        assert await world.find() == "10.0.0.2"

    converse(conversation)


def test_a_missing_name_is_asked_for_again_with_the_next_trial() -> None:
    assert NOT_FOUND_TTL < TRIAL_INTERVAL


def test_a_missing_name_is_asked_for_again_soon(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = NOT_FOUND
        for _ in range(2):
            assert await world.find() == f"The name a.test could not be resolved: {NOT_FOUND.problem}"
        assert len(world.servers.asked) == 1
        world.servers.answers["a.test"] = FOUND
        world.clock.advance(NOT_FOUND_TTL + 1)
        assert await world.find() == "10.0.0.1"

    converse(conversation)


@pytest.mark.parametrize("failure", [FAILED, TIMED_OUT])
def test_a_failure_is_not_kept(failure: Answer, converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = failure
        assert failure.problem in await world.find()
        world.servers.answers["a.test"] = FOUND
        assert await world.find() == "10.0.0.1"

    converse(conversation)


@pytest.mark.parametrize("failure", [FAILED, TIMED_OUT])
def test_old_addresses_are_used_while_the_servers_fail(failure: Answer, converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = FOUND
        await world.find()
        world.servers.answers["a.test"] = failure
        world.clock.advance(FOUND.ttl + 1)
        assert [await world.find(), await world.find()] == ["10.0.0.1"] * 2
        assert len(world.servers.asked) == 2
        world.servers.answers["a.test"] = OTHER
        world.clock.advance(STALE_RECHECK + 1)
        assert await world.find() == "10.0.0.2"

    converse(conversation)


def test_old_addresses_are_used_for_a_day(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = FOUND
        await world.find()
        world.servers.answers["a.test"] = FAILED
        world.clock.advance(FOUND.ttl + STALE_FOR + 1)
        assert FAILED.problem in await world.find()

    converse(conversation)


def test_old_addresses_are_not_used_for_a_name_that_is_gone(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = FOUND
        await world.find()
        world.servers.answers["a.test"] = NOT_FOUND
        world.clock.advance(FOUND.ttl + 1)
        assert NOT_FOUND.problem in await world.find()

    converse(conversation)


def test_a_silent_server_is_not_waited_for_long_if_there_are_old_addresses(
    converse: Converse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addon.origin.resolver.PATIENCE", SHORT_TIMEOUT)

    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = FOUND
        await world.find()
        late = world.servers.answers["a.test"] = asyncio.Future[Answer]()
        world.clock.advance(FOUND.ttl + 1)
        assert await world.find() == "10.0.0.1"
        late.set_result(OTHER)
        while await world.find() != "10.0.0.2":
            await asyncio.sleep(0)
        assert len(world.servers.asked) == 2

    converse(conversation)


def test_addresses_that_did_not_work_are_looked_up_again(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = FOUND
        await world.find()
        world.resolver.distrust("A.test")
        world.resolver.distrust("unknown.test")
        world.servers.answers["a.test"] = OTHER
        assert await world.find() == "10.0.0.2"

    converse(conversation)


def test_new_name_servers_make_all_answers_void(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        world.servers.answers["a.test"] = FOUND
        before = world.servers.answers["slow.test"] = asyncio.Future[Answer]()
        await world.find()
        waiting = asyncio.create_task(world.find("slow.test"))
        while "slow.test" not in world.servers.asked:
            await asyncio.sleep(0)
        world.servers.have_changed = True
        world.servers.answers = {"a.test": OTHER, "slow.test": OTHER}
        assert [await world.find(), await world.find("slow.test")] == ["10.0.0.2"] * 2
        before.set_result(FOUND)
        assert await waiting == "10.0.0.1"
        assert await world.find("slow.test") == "10.0.0.2"  # the answer of the earlier servers was not kept

    converse(conversation)


def test_the_number_of_kept_answers_is_limited(converse: Converse) -> None:
    async def conversation(world: World) -> None:
        names = [f"{number}.test" for number in range(MAX_NAMES + 1)]
        world.servers.answers = dict.fromkeys(names, FOUND)
        for name in names:
            await world.find(name)
        await world.find(names[-1])
        assert len(world.servers.asked) == MAX_NAMES + 1
        await world.find(names[0])
        assert len(world.servers.asked) == MAX_NAMES + 2

    converse(conversation)


def test_the_age_of_answers_does_not_follow_the_clock_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = FakeNameServers()
    monkeypatch.setattr("addon.origin.name_servers.NameServers", lambda: servers)
    elapsed = ManualClock()
    monkeypatch.setattr("addon.pipeline.origins.elapsed_seconds", elapsed.now)
    service_clock = [1_900_000_000.0]

    async def conversation() -> None:
        service = Service(Settings.model_validate({"store": {"kind": "memory"}}), lambda: service_clock[0])
        resolver = service.active.current.fetcher.client.resolver
        servers.answers["a.test"] = FOUND
        assert await resolver.addresses("a.test") == FOUND.addresses
        servers.answers["a.test"] = OTHER
        service_clock[0] -= 7200
        elapsed.advance(FOUND.ttl + 1)
        assert await resolver.addresses("a.test") == OTHER.addresses
        await service.close()

    asyncio.run(conversation())
