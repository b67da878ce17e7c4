"""The engine's decision about a request in each mode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.engine import on_request
from cache.engine.decisions import Forward, Refuse, Serve, Validate
from cache.policy.cache_policy import CachePolicy, NetworkPolicy
from cache.policy.operator_rules import Mode, glob
from cache.policy.reasons import Detail, Refused
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import NOW, request

DAY = 86_400
ORIGIN = request().origin


def stored(age: float) -> StoredResponse:
    """Return a response that was stored `age` seconds ago and was fresh for a minute."""
    return examples.stored(("Cache-Control", "max-age=60"), ("ETag", '"x"'), at=NOW - age)


def decide(policy: CachePolicy, *entries: StoredResponse) -> Serve | Validate | Forward | Refuse:
    return on_request(request(), entries, policy, NOW)


def test_offline_any_stored_response_is_served_and_a_miss_is_refused() -> None:
    policy = CachePolicy(network=NetworkPolicy(mode=Mode.OFFLINE))
    served = decide(policy, stored(1000 * DAY))
    assert isinstance(served, Serve)
    assert served.detail is Detail.OFFLINE
    refused = decide(policy)
    assert isinstance(refused, Refuse)
    assert (refused.reason, refused.response.head.status) == (Refused.OFFLINE, 504)


@pytest.mark.parametrize("mode", [Mode.ONLINE, Mode.AUTO])
def test_online_and_auto_stale_responses_are_validated_and_misses_forwarded(mode: Mode) -> None:
    policy = CachePolicy(network=NetworkPolicy(mode=mode))
    assert isinstance(decide(policy, stored(DAY)), Validate)
    assert isinstance(decide(policy), Forward)


def test_a_host_may_have_a_mode_of_its_own() -> None:
    policy = CachePolicy(network=NetworkPolicy(mode=Mode.OFFLINE, host_modes=((glob("*.example"), Mode.ONLINE),)))
    assert isinstance(decide(policy), Forward)
    assert isinstance(on_request(request(host="b.test"), (), policy, NOW), Refuse)


def test_auto_serves_stored_responses_of_an_unreachable_origin_for_a_day() -> None:
    policy = CachePolicy(network=NetworkPolicy(unreachable=frozenset({ORIGIN})))
    served = decide(policy, stored(DAY))
    assert isinstance(served, Serve)
    assert served.detail is Detail.OFFLINE
    assert served.handling.ttl == 60 - DAY
    too_stale = decide(policy, stored(2 * DAY))
    assert isinstance(too_stale, Refuse)
    assert b"a.example cannot be reached now" in too_stale.response.content


def test_auto_forwards_to_other_origins_and_online_to_all() -> None:
    others = frozenset({"http://b.test", "https://a.example", "http://a.example:81", "a.example"})
    policy = CachePolicy(network=NetworkPolicy(unreachable=others))
    assert isinstance(decide(policy), Forward)
    policy = replace(policy, network=replace(policy.network, mode=Mode.ONLINE, unreachable=frozenset({ORIGIN})))
    assert isinstance(decide(policy), Forward)
