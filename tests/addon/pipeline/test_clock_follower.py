"""The running proxy follows when the system's clock is set, and forgets times that mean nothing any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from addon.config.settings import Settings
from addon.origin import FailureKind, OriginFailure
from addon.pipeline.clock_follower import ClockFollower
from addon.runtime.clock import BELIEVED_AFTER
from addon.service import Service
from cache.http.messages import Request
from tests.lanes.manual_clock import START, ManualClock

REQUEST = Request("GET", "http", "a.example", 80, "/")


def conversation(scenario: Callable[[Service, ManualClock], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = ManualClock()
        service = Service(Settings.model_validate({"store": {"kind": "memory"}}), clock)
        try:
            await scenario(service, clock)
        finally:
            await service.close()

    asyncio.run(run())


def set_clock(service: Service, clock: ManualClock, seconds: float) -> None:
    follower = service.clock_follower
    assert isinstance(follower, ClockFollower)
    clock.set(seconds)
    follower.follow()
    clock.advance(BELIEVED_AFTER)
    follower.follow()


def test_the_policy_has_the_setting_of_the_clock_from_the_start() -> None:
    async def scenario(service: Service, clock: ManualClock) -> None:
        assert service.policy.freshness.clock == clock.setting

    conversation(scenario)


def test_policies_follow_the_clock() -> None:
    async def scenario(service: Service, clock: ManualClock) -> None:
        before = service.policy.freshness.clock
        set_clock(service, clock, -3600)
        assert service.policy.freshness.clock.set_back_since(before) == 3600
        assert service.clock() == START - 3600 + BELIEVED_AFTER

    conversation(scenario)


def test_an_origin_is_tried_again_after_the_clock_was_set_back() -> None:
    async def scenario(service: Service, clock: ManualClock) -> None:
        for _ in range(10):
            failure = OriginFailure(FailureKind.CONNECTION_TIMEOUT, "silent")
            service.reachability.failed(REQUEST, failure, service.clock())
        assert service.policy.network.unreachable
        set_clock(service, clock, -3600)
        assert not service.policy.network.unreachable
        assert service.reachability.may_try(REQUEST)

    conversation(scenario)


def test_waiting_for_a_response_is_avoided_no_longer_after_the_clock_was_set_back() -> None:
    async def scenario(service: Service, clock: ManualClock) -> None:
        single_flight = service.active.current.fetcher.single_flight
        flight = single_flight.begin("k", leads=True)
        single_flight.mark_hit_for_pass(flight, service.clock())
        assert single_flight.is_hit_for_pass("k", service.clock())
        set_clock(service, clock, -3600)
        assert not single_flight.is_hit_for_pass("k", service.clock())

    conversation(scenario)


def test_the_running_proxy_compares_its_clock_by_itself() -> None:
    async def scenario(service: Service, clock: ManualClock) -> None:
        clock.set(-3600)
        await service.start()
        clock.advance(BELIEVED_AFTER)
        while service.clock() > START:
            await asyncio.sleep(0.01)

    conversation(scenario)
