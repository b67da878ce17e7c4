"""A host that cannot be reached is tried in the background until it can be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from addon.origin import FailureKind, OriginFailure
from addon.origin.reachability import PAUSES, Reachability
from cache.rules.key import request_for

REQUEST = request_for("https://Example.test/a")
NO_ROUTE = OriginFailure(FailureKind.DESTINATION_IP_UNROUTABLE, "There is no route.", disconnected=True)


class World:
    """Hosts that answer probes or not, and a clock that a test turns."""

    def __init__(self) -> None:
        self.reachable = False
        self.probed: list[tuple[str, str, int]] = []
        self.told: list[frozenset[str]] = []
        self.slept: list[float] = []
        self._awake = asyncio.Event()
        self.reachability = Reachability(self._probe, self.told.append, self._sleep)

    async def _probe(self, scheme: str, host: str, port: int) -> None:
        self.probed.append((scheme, host, port))
        if not self.reachable:
            raise ConnectionRefusedError

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._awake.wait()
        self._awake.clear()

    async def pass_a_pause(self) -> None:
        self._awake.set()
        for _ in range(5):
            await asyncio.sleep(0)


def in_a_world(story: Callable[[World], Awaitable[None]]) -> World:
    async def told() -> World:
        world = World()
        await story(world)
        await world.reachability.close()
        return world

    return asyncio.run(told())


def test_a_host_without_a_link_is_down_until_a_probe_reaches_it() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        assert world.reachability.unreachable == {"example.test"}
        await world.pass_a_pause()
        await world.pass_a_pause()
        assert world.reachability.unreachable == {"example.test"}
        world.reachable = True
        await world.pass_a_pause()
        assert not world.reachability.unreachable

    world = in_a_world(story)
    assert world.probed == [("https", "example.test", 443)] * 3
    assert world.told == [{"example.test"}, set()]
    assert world.slept == list(PAUSES[:3])


def test_an_answer_ends_the_probing() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        world.reachability.reached("EXAMPLE.test")
        await world.pass_a_pause()

    world = in_a_world(story)
    assert (world.probed, world.told) == ([], [{"example.test"}, set()])


@pytest.mark.parametrize("kind", [FailureKind.CONNECTION_REFUSED, FailureKind.TLS_CERTIFICATE_ERROR])
def test_who_refuses_has_been_reached(kind: FailureKind) -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, OriginFailure(kind, "No.", disconnected=True))
        assert not world.reachability.unreachable

    assert not in_a_world(story).told


def test_after_the_last_attempt_the_next_request_may_find_out() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        for _ in PAUSES:
            await world.pass_a_pause()
        assert not world.reachability.unreachable

    assert len(in_a_world(story).probed) == len(PAUSES)


def test_what_is_forgotten_is_not_probed() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        world.reachability.forget()
        await world.pass_a_pause()
        assert not world.reachability.unreachable

    assert not in_a_world(story).probed
