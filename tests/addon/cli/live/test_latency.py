"""Times by histogram, as text."""

from __future__ import annotations

import pytest

from addon.cli.live.latency import bucket_names, quantile
from addon.runtime.metrics.histogram import BOUNDS, Histogram


@pytest.mark.parametrize(
    ("seconds", "part", "text"),
    [
        ([0.0004], 0.5, "≤ 1 ms"),
        ([0.002, 0.002, 0.3], 0.5, "≤ 2.5 ms"),
        ([0.002, 0.002, 0.3], 0.95, "≤ 500 ms"),
        ([0.7], 0.5, "≤ 1 s"),
        ([11.0], 0.5, "> 10 s"),
        ([], 0.5, "-"),
    ],
)
def test_a_part_of_the_responses_was_sent_within_a_time(seconds: list[float], part: float, text: str) -> None:
    histogram = Histogram()
    for each in seconds:
        histogram.observe(each)
    assert quantile(histogram.counts, part) == text


def test_each_bucket_has_a_name() -> None:
    assert len(set(bucket_names())) == len(BOUNDS) + 1
