"""A running proxy is switched through its control socket, and asks nobody while it is offline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.service import Service
from cache.policy.reasons import Refused
from cache.rules.key import request_for
from tests.fixtures.raw_origin import RawOrigin, endless


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "store": {"kind": "memory", "path": str(tmp_path / "store")},
            "origin": {"proxy": "none"},
            "cache": {"modes": [{"host": "b.test", "mode": "online"}]},
        }
    )


def served(settings: Settings, story: Callable[[Service], Awaitable[None]]) -> None:
    async def told() -> None:
        service = Service(settings)
        try:
            await story(service)
        finally:
            await service.close()

    asyncio.run(told())


def test_the_modes_of_the_settings_hold_first(settings: Settings) -> None:
    async def story(service: Service) -> None:
        told = await service.modes.handle({})
        assert told == {"mode": "auto", "recording": None, "hosts": {"b.test": "online"}, "unreachable": []}

    served(settings, story)


def test_a_host_is_switched_and_the_whole_forgets_the_hosts(settings: Settings) -> None:
    async def story(service: Service) -> None:
        told = await service.modes.handle({"mode": "offline", "host": "*.a.test"})
        assert told["hosts"] == {"*.a.test": "offline", "b.test": "online"}
        told = await service.modes.handle({"mode": "online", "host": "*.A.test"})
        assert told["hosts"] == {"*.A.test": "online", "b.test": "online"}
        told = await service.modes.handle({"mode": "offline"})
        assert told == {"mode": "offline", "recording": None, "hosts": {}, "unreachable": []}

    served(settings, story)


@pytest.mark.parametrize("arguments", [{"mode": "away"}, {"mode": 1}, {"host": "a.test"}])
def test_what_is_no_mode_is_refused(settings: Settings, arguments: dict[str, object]) -> None:
    async def story(service: Service) -> None:
        with pytest.raises(ValueError, match="expected"):
            await service.modes.handle(arguments)

    served(settings, story)


@pytest.mark.parametrize("host", ["https://a.test", "a.test/", "a.test:8080", "a test", "a.test:"])
def test_what_no_host_is_called_is_refused_and_switches_nothing(settings: Settings, host: str) -> None:
    async def story(service: Service) -> None:
        with pytest.raises(ValueError, match="expected the name of a host"):
            await service.modes.handle({"mode": "offline", "host": host})
        assert (await service.modes.handle({}))["hosts"] == {"b.test": "online"}
        assert (await service.modes.handle({"mode": "offline", "host": "::1"}))["hosts"] == {
            "::1": "offline",
            "b.test": "online",
        }

    served(settings, story)


def test_offline_no_connection_is_made_and_online_again_one_is(settings: Settings) -> None:
    async def story(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            request = request_for(f"http://127.0.0.1:{origin.port}/")
            await service.modes.handle({"mode": "offline"})
            reply = await service.responder.respond(request)
            assert reply.head.status == 504
            assert origin.connections == 0
            await service.modes.handle({"mode": "online"})
            await service.responder.respond(request)
            assert origin.connections == 1
        assert service.counters.snapshot()[f"refused.{Refused.OFFLINE}"] == 1

    served(settings, story)


def test_a_host_that_cannot_be_reached_is_known_and_asked_no_more(settings: Settings) -> None:
    async def story(service: Service) -> None:
        request = request_for("http://no-such-host.invalid/")
        first = await service.responder.respond(request)
        assert first.head.status == 502
        assert (await service.modes.handle({}))["unreachable"] == ["no-such-host.invalid"]
        second = await service.responder.respond(request)
        assert second.head.status == 504
        assert service.counters.snapshot()["origin.fetches"] == 1

    served(settings, story)
