"""Age is never negative and never falls; what is fresh has time left."""

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
def test_age_is_never_negative_even_before_the_response_came(
    entry: StoredResponse, policy: CachePolicy, now: float
) -> None:
    assert 0 <= current_age(entry, policy, now) <= MAX_SECONDS


@unhurried
@given(entries(), policies, moments, st.floats(0, 1e9))
def test_age_never_falls_as_time_goes_on(entry: StoredResponse, policy: CachePolicy, now: float, passed: float) -> None:
    assert current_age(entry, policy, now) <= current_age(entry, policy, now + passed)


@unhurried
@given(entries(), policies, st.floats(0, 1e9))
def test_a_clock_that_steps_back_behind_the_response_makes_it_no_younger_than_it_came(
    entry: StoredResponse, policy: CachePolicy, back: float
) -> None:
    came = current_age(entry, policy, entry.response_time)
    assert current_age(entry, policy, entry.response_time - back) == came


@unhurried
@given(entries(), policies, moments)
def test_fresh_means_that_the_lifetime_exceeds_the_age(entry: StoredResponse, policy: CachePolicy, now: float) -> None:
    lifetime, ttl = freshness_lifetime(entry, policy), time_to_live(entry, policy, now)
    assert 0 <= lifetime.seconds <= MAX_SECONDS
    assert is_fresh(entry, policy, now) == (lifetime.seconds > current_age(entry, policy, now))
    assert ttl >= 0 if is_fresh(entry, policy, now) else ttl <= 0


@unhurried
@given(entries(), moments)
def test_what_says_nothing_of_staleness_is_not_sent_stale_unasked(entry: StoredResponse, now: float) -> None:
    said = "stale-while-revalidate" in (entry.head.fields.get("cache-control") or "").lower()
    use = stale_use(entry, request_directives(Fields()), CachePolicy(), now)
    assert use is None or said or is_fresh(entry, CachePolicy(), now)
