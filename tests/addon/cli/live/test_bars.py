"""The picture of hist: columns of hits, with other responses on top."""

from __future__ import annotations

from collections.abc import Mapping

from addon.cli.live.bars import bars
from addon.cli.live.snapshot import Change, Snapshot
from addon.runtime.metrics.histogram import BOUNDS
from addon.runtime.series.counts import COUNTS


def snapshot(at: float, hits: Mapping[int, float], misses: Mapping[int, float]) -> Snapshot:
    """Return a snapshot with numbers of hits and misses by bucket."""
    buckets = range(len(BOUNDS) + 1)
    durations = {
        "hit": [hits.get(bucket, 0.0) for bucket in buckets],
        "miss": [misses.get(bucket, 0.0) for bucket in buckets],
    }
    return Snapshot(at, dict.fromkeys(COUNTS, 0), {}, durations, "online", None)


def test_columns_are_those_of_the_last_seconds() -> None:
    earlier, later = snapshot(0, {0: 100}, {5: 7}), snapshot(8, {0: 108, 5: 2}, {5: 9, 13: 1})
    lines = bars(Change(earlier, later), 13).plain.splitlines()
    assert len(lines) <= 13
    assert lines[0] == "| 10 hits   # 3 other responses   in the last 8 s; a full column is 8"
    columns = ["".join(line[5 * bucket] for line in lines[2:10]).strip() for bucket in range(14)]
    assert columns == ["||||||||", *[""] * 4, "##||", *[""] * 7, "#"]
    assert lines[10].split() == "1 2.5 5 10 25 50 100 250 500 1s 2.5s 5s 10s >10s".split()


def test_without_responses_there_are_no_columns() -> None:
    same = snapshot(0, {0: 5}, {})
    lines = bars(Change(same, same), 24).plain.splitlines()
    assert not any(line.strip() for line in lines[2:-2])
    assert all(len(line) <= 80 for line in lines)
