"""The life of a stored response as a line, and the decision about a request: both say the same at any time."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from cache import engine
from cache.engine.decisions import Serve, UpstreamRequest
from cache.engine.explain import explain
from cache.engine.on_response import on_failure
from cache.engine.time_line import TimeLine, Use
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import Mode
from cache.policy.private_cache import PrivateCache
from cache.policy.recordings import replaying_policy
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import NOW, request

DAY = 86_400
AGES = (30, 75, 150, DAY - 100, 10 * DAY)
SENT, IF_ERROR, IF_UNREACHABLE, NOT_SENT = "sent", "if the origin fails", "if it cannot be reached", "not sent"

ONLINE = CachePolicy()
OFFLINE = replace(ONLINE, network=replace(ONLINE.network, mode=Mode.OFFLINE))
LEFT_ALONE = replace(ONLINE, network=replace(ONLINE.network, unreachable=frozenset({request().origin})))
POLICIES = {"online": ONLINE, "offline": OFFLINE, "left alone": LEFT_ALONE}
POLICIES |= {
    f"{name}, override": replace(policy, private=PrivateCache(override_offline=True))
    for name, policy in POLICIES.items()
}
POLICIES["replay"] = replaying_policy(ONLINE, "a")

CONTROLS = (
    "max-age=60",
    "max-age=0",
    "max-age=60, stale-while-revalidate=30",
    "max-age=60, stale-while-revalidate=30, stale-if-error=100",
    "max-age=60, must-revalidate, stale-while-revalidate=30, stale-if-error=100",
    "s-maxage=60",
    "max-age=60, no-cache",
    "max-age=60, no-store",
    "private, max-age=60",
)
CHANGES = ({}, {"invalid": True}, {"soft_purged": True}, {"personal": True})


def told_by(line: TimeLine, *, left_alone: bool) -> str:
    """Return how the line says that the copy is used now. An origin that is left alone cannot be reached."""
    now = [each.use for each in line.segments if each.end is None or line.now < each.end]
    match now[0] if now else None:
        case Use.IF_ERROR | Use.IF_UNREACHABLE if left_alone:
            return SENT
        case Use.IF_ERROR:
            return IF_ERROR
        case Use.IF_UNREACHABLE:
            return IF_UNREACHABLE
        case None:
            return NOT_SENT
    return SENT


def decided(entry: StoredResponse, policy: CachePolicy) -> str:
    """Return how the decisions use the copy now."""
    decision = engine.on_request(request(), [entry], policy, NOW)
    if not isinstance(decision, UpstreamRequest):
        return SENT if isinstance(decision, Serve) else NOT_SENT
    for disconnected, use in [(False, IF_ERROR), (True, IF_UNREACHABLE)]:
        failed = on_failure(request(), decision, policy, NOW, error="x", sentence="", disconnected=disconnected)
        if isinstance(failed, Serve):
            return use
    return NOT_SENT


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("control", CONTROLS)
def test_the_line_says_what_is_decided(name: str, control: str) -> None:
    policy = POLICIES[name]
    for age, changes in product(AGES, CHANGES):
        entry = replace(examples.stored(("Cache-Control", control), at=NOW - age), **changes)
        line = explain(request(), [entry], policy, NOW).time_line
        assert line
        assert (age, changes, told_by(line, left_alone="left alone" in name)) == (age, changes, decided(entry, policy))
