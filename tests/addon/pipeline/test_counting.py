"""The counters that each kind of response adds to."""

from __future__ import annotations

import pytest

from addon.pipeline.counting import host_counters, request_counters, response_counters
from addon.pipeline.outcomes import counters_of
from addon.runtime.counters import Counters
from cache.answer.cache_status import Handling
from cache.engine.decisions import Relay
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Forwarded, NotStored
from tests.cache.examples import outcome, request

MISS = Handling(fwd=Forwarded.URI_MISS, fwd_status=200)


@pytest.mark.parametrize(
    ("handling", "exemption", "not_stored", "names"),
    [
        (Handling(hit=True, ttl=5), None, None, "answers.hit hits hits.http"),
        (Handling(hit=True, ttl=5), "client-x", None, "answers.hit hits hits.http exempted.client-x"),
        (Handling(hit=True, ttl=-5), None, None, "answers.hit stale hits hits.http hits.stale"),
        (Handling(fwd=Forwarded.STALE, fwd_status=304, ttl=60), None, None, "answers.stale validated"),
        (Handling(fwd=Forwarded.STALE, fwd_status=503, ttl=-5), None, None, "answers.stale misses.stale stale"),
        (MISS, None, None, "answers.uri-miss misses.uri-miss"),
        (MISS, None, NotStored.NO_STORE, "not_stored.no-store answers.uri-miss misses.uri-miss"),
        (Handling(fwd=Forwarded.URI_MISS, collapsed=True), None, None, "answers.uri-miss"),
        (Handling(fwd=Forwarded.METHOD, fwd_status=200), None, None, "answers.method"),
        (None, None, None, ""),
    ],
    ids=[
        *("hit", "hit that kept 200", "stale hit", "validated copy", "stale copy after an error"),
        *("miss", "uncacheable response", "shared fetch", "method that is not cached", "error of the proxy's own"),
    ],
)
def test_each_response_adds_to_its_counters(
    handling: Handling | None, exemption: str | None, not_stored: NotStored | None, names: str
) -> None:
    counted = response_counters("http", handling, exemption, not_stored)
    assert counted == tuple(names.split())
    Counters().count_each(counted)  # raises KeyError for a name that does not exist


@pytest.mark.parametrize(("scheme", "name"), [("http", "requests.http"), ("https", "requests.https")])
def test_each_request_adds_to_the_counter_of_its_scheme(scheme: str, name: str) -> None:
    assert request_counters(scheme) == ("requests", name)
    assert f"hits.{scheme}" in response_counters(scheme, Handling(hit=True))


def test_a_relayed_response_adds_to_the_counter_of_the_reason_why_it_is_not_stored() -> None:
    relayed = outcome(CachePolicy(), request(), ("Cache-Control", "no-store"))
    assert isinstance(relayed, Relay)
    no_store = NotStored.NO_STORE
    of_host = host_counters("a.example", MISS, no_store)
    assert counters_of(request(), relayed, "a.example") == (*response_counters("http", MISS, None, no_store), *of_host)
    assert of_host == (("a.example", "requests"), ("a.example", "not_stored.no-store"))
    stored = outcome(CachePolicy(), request(), ("Cache-Control", "max-age=60"))
    assert counters_of(request(), stored, "a.example") == (
        *response_counters("http", MISS),
        ("a.example", "requests"),
    )
