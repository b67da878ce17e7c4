"""A host that cannot be reached is probed in the background until it can be reached again."""

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
    """Hosts that a test makes reachable or not, and pauses that a test ends."""

    def __init__(self) -> None:
        self.reachable = False
        self.probed: list[tuple[str, str, int]] = []
        self.changes: list[frozenset[str]] = []
        self.slept: list[float] = []
        self._awake = asyncio.Event()
        self.reachability = Reachability(self._probe, self.changes.append, self._sleep)

    async def _probe(self, scheme: str, host: str, port: int) -> None:
        self.probed.append((scheme, host, port))
        if not self.reachable:
            raise ConnectionRefusedError

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._awake.wait()
        self._awake.clear()

    async def end_pause(self) -> None:
        self._awake.set()
        for _ in range(5):
            await asyncio.sleep(0)


def run_in_world(story: Callable[[World], Awaitable[None]]) -> World:
    async def run() -> World:
        world = World()
        await story(world)
        await world.reachability.close()
        return world

    return asyncio.run(run())


def test_an_unreachable_host_stays_so_until_a_probe_reaches_it() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        assert world.reachability.unreachable == {"example.test"}
        await world.end_pause()
        await world.end_pause()
        assert world.reachability.unreachable == {"example.test"}
        world.reachable = True
        await world.end_pause()
        assert not world.reachability.unreachable

    world = run_in_world(story)
    assert world.probed == [("https", "example.test", 443)] * 3
    assert world.changes == [{"example.test"}, set()]
    assert world.slept == list(PAUSES[:3])


def test_a_response_ends_the_probing() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        world.reachability.reached("EXAMPLE.test")
        await world.end_pause()

    world = run_in_world(story)
    assert (world.probed, world.changes) == ([], [{"example.test"}, set()])


@pytest.mark.parametrize("kind", [FailureKind.CONNECTION_REFUSED, FailureKind.TLS_CERTIFICATE_ERROR])
def test_a_host_that_refuses_a_connection_is_reachable(kind: FailureKind) -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, OriginFailure(kind, "No.", disconnected=True))
        assert not world.reachability.unreachable

    assert not run_in_world(story).changes


def test_after_the_last_probe_the_host_counts_as_reachable() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        for _ in PAUSES:
            await world.end_pause()
        assert not world.reachability.unreachable

    assert len(run_in_world(story).probed) == len(PAUSES)


def test_a_forgotten_host_is_not_probed() -> None:
    async def story(world: World) -> None:
        world.reachability.failed(REQUEST, NO_ROUTE)
        world.reachability.forget()
        await world.end_pause()
        assert not world.reachability.unreachable

    assert not run_in_world(story).probed
