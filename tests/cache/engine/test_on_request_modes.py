"""What the modes make of a request: pure, and the same for every lane."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.engine import on_request
from cache.engine.decisions import Forward, Refuse, Serve, Validate
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy, NetworkPolicy
from cache.policy.operator_rules import Mode, glob
from cache.policy.reasons import Detail, Refused
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse

NOW = 1_800_000_000.0
DAY = 86_400
REQUEST = request_for("http://a.test/x")


def stored(age: float) -> StoredResponse:
    """A response that was fresh for a minute, stored `age` seconds ago."""
    then = NOW - age
    head = Response(200, "OK", Fields((("Cache-Control", "max-age=60"), ("ETag", '"x"'))))
    return StoredResponse("0" * 32, "http://a.test/x", "GET", "http://a.test/x", head, then, then, then)


def decided(policy: CachePolicy, *entries: StoredResponse) -> Serve | Validate | Forward | Refuse:
    return on_request(REQUEST, entries, policy, NOW)


def test_offline_serves_any_copy_and_refuses_what_is_not_stored() -> None:
    policy = CachePolicy(network=NetworkPolicy(mode=Mode.OFFLINE))
    served = decided(policy, stored(1000 * DAY))
    assert isinstance(served, Serve)
    assert served.detail is Detail.OFFLINE
    refused = decided(policy)
    assert isinstance(refused, Refuse)
    assert (refused.reason, refused.response.head.status) == (Refused.OFFLINE, 504)


@pytest.mark.parametrize("mode", [Mode.ONLINE, Mode.AUTO])
def test_online_asks(mode: Mode) -> None:
    policy = CachePolicy(network=NetworkPolicy(mode=mode))
    assert isinstance(decided(policy, stored(DAY)), Validate)
    assert isinstance(decided(policy), Forward)


def test_one_host_may_have_another_mode() -> None:
    policy = CachePolicy(network=NetworkPolicy(mode=Mode.OFFLINE, host_modes=((glob("*.test"), Mode.ONLINE),)))
    assert isinstance(decided(policy), Forward)
    assert isinstance(on_request(request_for("http://b.example/x"), (), policy, NOW), Refuse)


def test_auto_serves_copies_of_an_unreachable_host_at_once_within_a_day() -> None:
    policy = CachePolicy(network=NetworkPolicy(unreachable=frozenset({"a.test"})))
    served = decided(policy, stored(DAY))
    assert isinstance(served, Serve)
    assert served.detail is Detail.OFFLINE
    assert served.handling.ttl == 60 - DAY
    too_stale = decided(policy, stored(2 * DAY))
    assert isinstance(too_stale, Refuse)
    assert b"a.test cannot be reached now" in too_stale.response.content


def test_auto_asks_other_hosts_and_online_asks_all() -> None:
    policy = CachePolicy(network=NetworkPolicy(unreachable=frozenset({"b.test"})))
    assert isinstance(decided(policy), Forward)
    policy = replace(policy, network=replace(policy.network, mode=Mode.ONLINE, unreachable=frozenset({"a.test"})))
    assert isinstance(decided(policy), Forward)
