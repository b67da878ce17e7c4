"""Properties of freshness: the age is never negative and never falls, and a fresh response has time left."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cache.http.cache_control import request_directives
from cache.http.fields import MAX_SECONDS
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy
from cache.policy.clock_setting import ClockSetting
from cache.rules.freshness import FUTURE_TOLERANCE, current_age, freshness_lifetime, is_fresh, stale_use, time_to_live
from cache.rules.stored_response import StoredResponse
from tests.cache.examples import NOW, stored
from tests.fixtures.strategies import entries, moments, unhurried

policies = st.builds(
    CachePolicy,
    freshness=st.builds(
        FreshnessPolicy,
        conservative_age=st.booleans(),
        heuristic_query=st.booleans(),
        heuristic_max=st.integers(0, 86_400),
    ),
    targeted_fields=st.sampled_from([(), ("cdn-cache-control",)]),
)


@unhurried
@given(entries(), policies, moments)
def test_the_age_is_never_negative_even_before_the_response_was_received(
    entry: StoredResponse, policy: CachePolicy, now: float
) -> None:
    assert 0 <= current_age(entry, policy, now) <= MAX_SECONDS


@unhurried
@given(entries(), policies, st.floats(-FUTURE_TOLERANCE, 1e9), st.floats(0, 1e9))
def test_the_age_never_falls_while_time_passes(
    entry: StoredResponse, policy: CachePolicy, passed_before: float, passed: float
) -> None:
    now = entry.response_time + passed_before
    assert current_age(entry, policy, now) <= current_age(entry, policy, now + passed)


@unhurried
@given(entries(), policies, st.floats(0, 1e9))
def test_a_clock_that_is_set_back_makes_a_response_no_younger_than_when_it_was_received(
    entry: StoredResponse, policy: CachePolicy, back: float
) -> None:
    received_age = current_age(entry, policy, entry.response_time)
    assert current_age(entry, policy, entry.response_time - back) >= received_age


@unhurried
@given(entries(), policies, st.floats(FUTURE_TOLERANCE + 1, 1e9))
def test_a_response_from_the_future_is_not_fresh(entry: StoredResponse, policy: CachePolicy, ahead: float) -> None:
    assert time_to_live(entry, policy, entry.response_time - ahead) <= 0
    assert not is_fresh(entry, policy, entry.response_time - ahead)


@unhurried
@given(entries(), policies, st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_response_is_as_old_after_its_clock_was_set_back_as_it_would_have_been(
    entry: StoredResponse, policy: CachePolicy, passed: float, wrong_by: float
) -> None:
    right = replace(policy, freshness=replace(policy.freshness, clock=ClockSetting(1, 0.0)))
    noted_wrong = replace(
        entry,
        request_time=entry.request_time + wrong_by,
        response_time=entry.response_time + wrong_by,
        clock=ClockSetting(1, wrong_by),
    )
    now = entry.response_time + passed
    assert abs(current_age(noted_wrong, right, now) - current_age(entry, right, now)) <= 1


def test_of_another_boot_only_the_noted_times_are_known() -> None:
    policy = CachePolicy(freshness=FreshnessPolicy(clock=ClockSetting(2, 0.0)))
    entry = stored(("Cache-Control", "max-age=60"), at=NOW, clock=ClockSetting(1, 3600.0))
    assert current_age(entry, policy, NOW + 10) == 10
    assert not is_fresh(entry, policy, NOW - 10)
    assert is_fresh(entry, policy, NOW - 5)


@unhurried
@given(entries(), policies, moments)
def test_a_response_is_fresh_exactly_while_its_lifetime_exceeds_its_age(
    entry: StoredResponse, policy: CachePolicy, now: float
) -> None:
    lifetime, ttl = freshness_lifetime(entry, policy), time_to_live(entry, policy, now)
    assert 0 <= lifetime.seconds <= MAX_SECONDS
    assert is_fresh(entry, policy, now) == (lifetime.seconds > current_age(entry, policy, now))
    assert ttl >= 0 if is_fresh(entry, policy, now) else ttl <= 0


@unhurried
@given(entries(), moments)
def test_a_stale_response_is_used_only_if_its_origin_allows_it(entry: StoredResponse, now: float) -> None:
    allowed = "stale-while-revalidate" in (entry.head.fields.get("cache-control") or "").lower()
    use = stale_use(entry, request_directives(Fields()), CachePolicy(), now)
    assert use is None or allowed or is_fresh(entry, CachePolicy(), now)
