"""Values of several processes become those of the proxy."""

from __future__ import annotations

import json

import pytest

from addon.runtime.metrics.histogram import BOUNDS, Histogram
from addon.runtime.metrics.samples import Samples


def durations(*seconds: float) -> Histogram:
    histogram = Histogram()
    for each in seconds:
        histogram.observe(each)
    return histogram


def one_process(requests: int, up: int, size: int, *seconds: float) -> Samples:
    samples = Samples()
    samples.add("requests_total", requests, "a.example", "hit", "")
    samples.add("origin_up", up, "a.example", "http://o")
    samples.add("store_bytes", size)
    samples.add("connections", 2)
    samples.add_histogram("request_duration_seconds", durations(*seconds), "miss")
    return samples


def test_counts_are_added_and_what_the_processes_share_is_not() -> None:
    total = Samples()
    for each in (one_process(3, 1, 100, 0.25), one_process(4, 0, 90, 0.25, 20)):
        total.add_described(json.loads(json.dumps(each.described())))
    assert total.of("requests_total") == {("a.example", "hit", ""): [7]}
    assert total.of("origin_up") == {("a.example", "http://o"): [0]}
    assert total.of("store_bytes") == {(): [100]}
    assert total.of("connections") == {(): [4]}
    (numbers,) = total.of("request_duration_seconds").values()
    assert (numbers[BOUNDS.index(0.25)], numbers[len(BOUNDS)], numbers[-1]) == (2, 1, 20.5)


def test_of_a_process_that_has_ended_only_counts_are_left() -> None:
    total = Samples()
    total.add_described(one_process(3, 1, 100, 0.5).described(), lasting_only=True)
    assert set(total.described()) == {"requests_total", "request_duration_seconds"}


def test_what_another_version_tells_is_left_out() -> None:
    total = Samples()
    total.add_described(
        {
            "news_total": [[[], 1]],
            "connections": [[["worker"], 1], [[], 1, 2]],
            "requests_total": "many",
            "request_duration_seconds": [[["hit"], 1, 2, 3]],
        }
    )
    assert total.described() == {}


def test_a_value_needs_the_labels_of_its_metric() -> None:
    with pytest.raises(KeyError, match="site, code"):
        Samples().add("responses_total", 1, "a.example")


def test_a_value_on_a_bound_is_in_its_bucket() -> None:
    assert durations(BOUNDS[0]).counts[0] == durations(BOUNDS[0] + 1e-9).counts[1] == 1
    assert durations(0.0).counts[0] == 1
