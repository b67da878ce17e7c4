"""A histogram of seconds: an array of buckets, which takes less than a microsecond to count in."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets in seconds; one more bucket has no bound."""


class Histogram:
    """Counts by bucket, not cumulative, and the sum of all values."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one value."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def observe_zeros(self, count: int) -> None:
        """Count so many values that are too short to be measured."""
        self.counts[0] += count
