"""Tests of the origin client read no system trust store, and may run on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from tests.addon.origin.resolver_world import Converse, World
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import LONGEST


@pytest.fixture(autouse=True)
def no_system_cas(no_system_trust: None) -> None:
    """Use no system CAs: to load them takes longer than most conversations."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def each_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test on Python's own event loop and on uvloop, which the proxy uses."""
    monkeypatch.setattr("tests.fixtures.origin_client.new_event_loop", request.param)


@pytest.fixture(scope="package")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    """A CA that the origin client trusts."""
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "trusted")


@pytest.fixture
def converse(tmp_path: Path) -> Converse:
    """Run a conversation with a resolver and name servers."""

    def run(conversation: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            world = World(tmp_path / "hosts")
            async with asyncio.timeout(LONGEST):
                await conversation(world)
            await world.resolver.close()

        asyncio.run(main())

    return run
