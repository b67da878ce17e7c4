"""The chart of the report: which bars there are, and how high their parts are."""

from __future__ import annotations

import re

import pytest

from addon.cli.report_page.chart import MAX_BARS, chart_of
from addon.cli.report_page.facts import Period
from addon.runtime.series.counts import NOTHING, Counts

NOON = 1_800_014_400
"""A time at the beginning of an hour, in seconds since the epoch."""


def counts(hit: int = 0, miss: int = 0) -> Counts:
    return (hit, 0, 0, miss, *NOTHING[4:])


def hours(number: int) -> Period:
    """Return a period that ends half an hour after noon."""
    return Period(NOON + 1800 - 3600 * number, NOON + 1800, 3600)


def test_each_step_of_a_short_period_has_a_bar_also_without_points() -> None:
    chart = chart_of(hours(4), [(NOON - 7200, counts(3)), (NOON, counts(1, 1))])
    assert [(bar.at, bar.responses) for bar in chart.bars] == [
        (NOON - 10_800, 0),
        (NOON - 7200, 3),
        (NOON - 3600, 0),
        (NOON, 2),
    ]
    assert (chart.seconds, chart.highest) == (3600, 3)


@pytest.mark.parametrize("number", [95, 96, 97, 168, 720])
def test_a_long_period_has_few_bars_and_no_response_is_lost(number: int) -> None:
    points = [(NOON - 3600 * hour, counts(1)) for hour in range(number)]
    chart = chart_of(hours(number), points)
    assert len(chart.bars) <= MAX_BARS
    assert sum(bar.responses for bar in chart.bars) == number


def test_the_parts_of_a_bar_stand_on_each_other() -> None:
    drawn = chart_of(hours(2), [(NOON, counts(3, 1))]).svg("what it shows")
    parts = re.findall(r'class="(hit|miss)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn)
    assert parts == [("hit", "50.00", "150.00"), ("miss", "0.00", "50.00")]
    assert "3 hit, 1 miss</title>" in drawn


def test_the_label_is_escaped() -> None:
    assert 'aria-label="&quot;&gt;&lt;b&gt;"' in chart_of(hours(1), []).svg('"><b>')
