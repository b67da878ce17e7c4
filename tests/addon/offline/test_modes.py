"""Switching the modes of a running proxy, and its requests to origins in each mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.service import Service
from cache.policy.reasons import Refused
from cache.rules.key import request_for
from tests.addon.offline.running_service import with_service
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


def test_the_modes_of_the_settings_apply_at_the_start(settings: Settings) -> None:
    async def scenario(service: Service) -> None:
        state = await service.modes.handle({})
        assert state == {
            "mode": "auto",
            "recording": None,
            "hosts": {"b.test": "online"},
            "unreachable": [],
            "failing": {},
        }

    with_service(settings, scenario)


def test_switching_the_whole_proxy_resets_the_modes_of_hosts(settings: Settings) -> None:
    async def scenario(service: Service) -> None:
        state = await service.modes.handle({"mode": "offline", "host": "*.a.test"})
        assert state["hosts"] == {"*.a.test": "offline", "b.test": "online"}
        state = await service.modes.handle({"mode": "online", "host": "*.A.test"})
        assert state["hosts"] == {"*.A.test": "online", "b.test": "online"}
        state = await service.modes.handle({"mode": "offline"})
        assert state == {"mode": "offline", "recording": None, "hosts": {}, "unreachable": [], "failing": {}}

    with_service(settings, scenario)


@pytest.mark.parametrize("arguments", [{"mode": "away"}, {"mode": 1}, {"host": "a.test"}])
def test_an_invalid_mode_is_refused(settings: Settings, arguments: dict[str, object]) -> None:
    async def scenario(service: Service) -> None:
        with pytest.raises(ValueError, match="expected"):
            await service.modes.handle(arguments)

    with_service(settings, scenario)


@pytest.mark.parametrize("host", ["https://a.test", "a.test/", "a.test:8080", "a test", "a.test:"])
def test_an_invalid_host_name_is_refused_and_changes_no_mode(settings: Settings, host: str) -> None:
    async def scenario(service: Service) -> None:
        with pytest.raises(ValueError, match="expected the name of a host"):
            await service.modes.handle({"mode": "offline", "host": host})
        assert (await service.modes.handle({}))["hosts"] == {"b.test": "online"}
        assert (await service.modes.handle({"mode": "offline", "host": "::1"}))["hosts"] == {
            "::1": "offline",
            "b.test": "online",
        }

    with_service(settings, scenario)


def test_the_proxy_connects_to_origins_online_and_not_offline(settings: Settings) -> None:
    async def scenario(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            request = request_for(f"http://127.0.0.1:{origin.port}/")
            await service.modes.handle({"mode": "offline"})
            reply = await service.active.current.responder.respond(request)
            assert reply.head.status == 504
            assert origin.connections == 0
            await service.modes.handle({"mode": "online"})
            await service.active.current.responder.respond(request)
            assert origin.connections == 1
        assert service.counters.snapshot()[f"refused.{Refused.OFFLINE}"] == 1

    with_service(settings, scenario)


def test_an_unreachable_origin_is_listed_and_gets_no_more_requests(settings: Settings) -> None:
    async def scenario(service: Service) -> None:
        request = request_for("http://a..b/")
        first = await service.active.current.responder.respond(request)
        assert first.head.status == 502
        described = await service.modes.handle({})
        assert described["unreachable"] == []
        assert described["failing"]["http://a..b"]["error"] == "dns_error"
        await service.active.current.responder.respond(request)
        assert (await service.modes.handle({}))["unreachable"] == ["http://a..b"]
        third = await service.active.current.responder.respond(request)
        assert third.head.status == 504
        assert service.counters.snapshot()["origin.fetches"] == 2
        other = await service.modes.handle({"mode": "offline", "host": "c.test"})
        assert other["unreachable"] == ["http://a..b"]
        all_hosts = await service.modes.handle({"mode": "auto"})
        assert all_hosts["unreachable"] == []  # it is tried again
        assert all_hosts["failing"] == described["failing"]  # it is not known to work

    with_service(settings, scenario, clock=lambda: 1_900_000_000.0)
