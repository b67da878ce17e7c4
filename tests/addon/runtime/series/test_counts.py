"""The numbers of the time series: each response is one of six outcomes."""

from __future__ import annotations

import pytest

from addon.pipeline.counting import response_counters
from addon.runtime.counters import Counters
from addon.runtime.series.counts import COUNTS, NOTHING, OUTCOMES, counts_of, increase
from cache.answer.cache_status import Handling
from cache.policy.reasons import Forwarded


@pytest.mark.parametrize(
    ("handling", "outcome"),
    [
        (Handling(hit=True, ttl=60), "hit"),
        (Handling(hit=True, ttl=-5), "stale"),
        (Handling(fwd=Forwarded.STALE, fwd_status=500, ttl=-5), "stale"),
        (Handling(fwd=Forwarded.STALE, fwd_status=304, ttl=60), "validated"),
        (Handling(fwd=Forwarded.REQUEST, fwd_status=304, ttl=0), "validated"),
        (Handling(fwd=Forwarded.STALE, fwd_status=304, ttl=-1), "stale"),
        (Handling(fwd=Forwarded.STALE, fwd_status=200), "miss"),
        (Handling(fwd=Forwarded.URI_MISS, fwd_status=304), "miss"),
        (Handling(fwd=Forwarded.URI_MISS, fwd_status=200, collapsed=True), "miss"),
        (Handling(fwd=Forwarded.BYPASS, fwd_status=200), "bypass"),
        (Handling(fwd=Forwarded.BYPASS, fwd_status=304), "bypass"),
        (Handling(fwd=Forwarded.METHOD, fwd_status=200), "bypass"),
    ],
)
def test_each_response_is_one_outcome(handling: Handling, outcome: str) -> None:
    counters = Counters()
    counters.count_each(response_counters("http", handling))
    counts = dict(zip(COUNTS, counts_of(counters.snapshot()), strict=True))
    assert {name: counts[name] for name in OUTCOMES if counts[name]} == {outcome: 1}


def test_a_redirect_of_the_proxy_is_no_error() -> None:
    counts = dict(zip(COUNTS, counts_of({"refused.redirect": 3, "refused.fetch-failed": 2}), strict=True))
    assert counts == dict.fromkeys(COUNTS, 0) | {"error": 2}


def test_bytes_and_saved_time_are_those_of_the_counters() -> None:
    counters = {"octets.from_copy": 10, "octets.from_origin": 20, "milliseconds.saved": 30}
    assert counts_of(counters)[-3:] == (10, 20, 30)


def test_nothing_is_added_where_a_counter_has_become_less() -> None:
    assert increase((5, *NOTHING[1:]), (3, *NOTHING[1:])) == NOTHING
    assert increase((3, *NOTHING[1:]), (5, *NOTHING[1:])) == (2, *NOTHING[1:])
