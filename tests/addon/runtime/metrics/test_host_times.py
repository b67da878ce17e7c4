"""The times of origins by host: how they are summed up, and that clients cannot make them grow without limit."""

from __future__ import annotations

import pytest

from addon.runtime.host_counters import OTHER_HOSTS
from addon.runtime.metrics.histogram import BOUNDS
from addon.runtime.metrics.host_times import MAX_HOSTS, HostTimes, quantile


def test_half_of_the_times_are_shorter_than_the_median() -> None:
    times = HostTimes()
    for _ in range(90):
        times.observe("a.example", 0.03)
    for _ in range(10):
        times.observe("a.example", 3.0)
    told = times.summary()["a.example"]
    assert told["exchanges"] == 100
    assert 0.025 < told["median"] < 0.05
    assert 2.5 < told["slow"] < 5.0


def test_times_beyond_the_last_bound_count_as_that_bound() -> None:
    assert quantile([0] * len(BOUNDS) + [5], 0.5) == BOUNDS[-1]
    assert quantile([2] + [0] * len(BOUNDS), 0.5) == BOUNDS[0] / 2


def test_all_later_hosts_are_counted_together() -> None:
    times = HostTimes()
    for number in range(MAX_HOSTS + 50):
        times.observe(f"{number}.example", 0.1)
    told = times.summary()
    assert len(told) == MAX_HOSTS + 1
    assert told[OTHER_HOSTS]["exchanges"] == 50


def test_the_times_of_several_processes_are_added() -> None:
    one, other, total = HostTimes(), HostTimes(), HostTimes()
    one.observe("a.example", 0.1)
    other.observe("a.example", 0.1)
    other.observe("b.example", 0.1)
    total.add_described(one.described())
    total.add_described(other.described())
    assert {host: told["exchanges"] for host, told in total.summary().items()} == {"a.example": 2, "b.example": 1}


@pytest.mark.parametrize("counts", [None, [1], "text"])
def test_what_another_version_tells_is_left_out(counts: object) -> None:
    total = HostTimes()
    total.add_described({"a.example": counts})
    assert total.summary() == {}
