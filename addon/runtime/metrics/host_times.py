"""The times that origins take until the head of their response is there, by host, for a limited number of hosts.

They are for people who look at the proxy, and none of the metrics: clients choose the hosts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from addon.runtime.host_counters import OTHER_HOSTS
from addon.runtime.metrics.histogram import BOUNDS, Histogram

MAX_HOSTS = 100
"""Hosts that are told apart; all later ones are counted together."""


class HostTimes:
    """The times of one process, or of several together."""

    def __init__(self) -> None:
        self._hosts: dict[str, Histogram] = {}

    def observe(self, host: str, seconds: float) -> None:
        """Count the time of one exchange with an origin of a host."""
        self._of(host).observe(seconds)

    def _of(self, host: str) -> Histogram:
        found = self._hosts.get(host)
        if found is None:
            name = host if len(self._hosts) < MAX_HOSTS else OTHER_HOSTS
            found = self._hosts.setdefault(name, Histogram())
        return found

    def described(self) -> dict[str, object]:
        """Return the counts of each host for another process, as JSON can have them."""
        return {host: histogram.counts for host, histogram in self._hosts.items()}

    def add_described(self, hosts: Mapping[str, object]) -> None:
        """Add what `described` has returned in another process. What is not understood is left out."""
        for host, counts in hosts.items():
            if isinstance(counts, list) and len(counts) == len(BOUNDS) + 1:
                known = self._of(host).counts
                known[:] = [one + int(other) for one, other in zip(known, counts, strict=True)]

    def summary(self) -> dict[str, dict[str, float]]:
        """Return for each host the number of exchanges, and the median and 95 % of their times in seconds."""
        return {
            host: {
                "exchanges": sum(histogram.counts),
                "median": quantile(histogram.counts, 0.5),
                "slow": quantile(histogram.counts, 0.95),
            }
            for host, histogram in self._hosts.items()
            if any(histogram.counts)
        }


def quantile(counts: Sequence[int], part: float) -> float:
    """Return about how many seconds a part of all times are shorter than, by the counts of a histogram with any.

    Times are taken to be spread evenly in their bucket; those beyond the last bound count as that bound.
    """
    wanted, below = part * sum(counts), 0
    for bound, previous, count in zip(BOUNDS, (0.0, *BOUNDS), counts, strict=False):
        if count and below + count >= wanted:
            return previous + (bound - previous) * (wanted - below) / count
        below += count
    return BOUNDS[-1]
