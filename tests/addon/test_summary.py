"""What a run came to, for people and for machines."""

from __future__ import annotations

import pytest

from addon.run.summary import Look, Summary


def test_the_line_tells_what_happened_between_two_looks() -> None:
    before = Look.of({"requests": 5, "hits": 5, "answers.hit": 5}, ["http://a.test/before"])
    counted = {
        "requests": 8,
        "hits": 6,
        "hits.stale": 1,
        "answers.hit": 6,
        "answers.uri-miss": 1,
        "origin.fetches": 2,
        "octets.from_copy": 2048,
        "refused.offline": 1,
        "milliseconds.saved": 1250,
    }
    after = Look.of(counted, ["http://a.test/before", "http://a.test/x"])
    assert Summary.between(before, after).line() == (
        "3 requests, 1 from copies (1 stale), 1 fetched, 2 KiB saved, 1.2 s saved, 1 MISSING: http://a.test/x"
    )


@pytest.mark.parametrize(
    ("counters", "offline", "max_misses", "code"),
    [
        ({"requests": 1, "hits": 1}, True, None, None),
        ({"refused.offline": 1}, True, None, 120),
        ({"refused.offline": 1}, True, 1, None),
        ({"origin.fetches": 1}, True, None, 120),
        ({"hits.stale": 1}, False, None, 121),
        ({"answers.uri-miss": 2}, False, 1, 122),
        ({"answers.uri-miss": 2}, False, 2, None),
        ({"answers.uri-miss": 2}, False, None, None),
    ],
)
def test_a_breach_has_its_exit_code(
    counters: dict[str, int], offline: bool, max_misses: int | None, code: int | None
) -> None:
    breach = Summary(counters).breach(offline=offline, max_misses=max_misses)
    assert (breach[0] if breach else None) == code


def test_what_a_proxy_says_is_not_believed_blindly() -> None:
    assert Look.of({"requests": "many"}, None) == Look()
