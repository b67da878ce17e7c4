"""Properties of freshness: the age is never negative and never falls, and a fresh response has time left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cache.http.cache_control import request_directives
from cache.http.fields import MAX_SECONDS
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy
from cache.rules.freshness import current_age, freshness_lifetime, is_fresh, stale_use, time_to_live
from cache.rules.stored_response import StoredResponse
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
@given(entries(), policies, moments, st.floats(0, 1e9))
def test_the_age_never_falls_while_time_passes(
    entry: StoredResponse, policy: CachePolicy, now: float, passed: float
) -> None:
    assert current_age(entry, policy, now) <= current_age(entry, policy, now + passed)


@unhurried
@given(entries(), policies, st.floats(0, 1e9))
def test_a_clock_that_is_set_back_makes_a_response_no_younger_than_when_it_was_received(
    entry: StoredResponse, policy: CachePolicy, back: float
) -> None:
    received_age = current_age(entry, policy, entry.response_time)
    assert current_age(entry, policy, entry.response_time - back) == received_age


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
