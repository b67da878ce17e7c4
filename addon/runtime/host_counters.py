"""Counters by host, for a limited number of hosts. A port that is not the default one is a part of the name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

HOST_COUNTERS = {
    "requests": "requests for the host that reached the cache",
    "hits": "of them, from a copy, without a request to the origin",
    "stale": "of them, from a stale copy",
    "octets.from_copy": "bytes of content sent from copies",
    "octets.from_origin": "bytes of content received from origins of the host",
    "failures": "exchanges with an origin of the host that failed",
    "not_stored.*": "responses of the host that were relayed but not stored, by reason",
}
"""All counters of a host. `.*` marks a family of counters, as in COUNTERS: its members appear when they are counted."""

FIXED_HOST_COUNTERS = tuple(name for name in HOST_COUNTERS if not name.endswith(".*"))
"""The counters that every host has."""

MAX_HOSTS = 1_000
"""Hosts with counters of their own; all later ones are counted together."""

OTHER_HOSTS = "(other hosts)"
"""The name of all later hosts together."""

type HostCounter = tuple[str, str]
"""A host, and a counter of HOST_COUNTERS. It stands among the names of other counters, which are text."""


def host_counter(host: str, counter: str) -> HostCounter:
    """Return the name of a counter of HOST_COUNTERS for a host, among the names of all counters."""
    return host, counter


class HostCounters:
    """The counters of the hosts. They belong to one thread, or to those that have a lock for them."""

    def __init__(self) -> None:
        self._hosts: dict[str, Counter[str]] = {}

    def counted_as(self, host: str) -> str:
        """Return the name under which a host is counted: its own, or that of all later ones."""
        return host if host in self._hosts or len(self._hosts) < MAX_HOSTS else OTHER_HOSTS

    def count(self, host: str, counter: str, amount: int) -> None:
        """Add to a counter of HOST_COUNTERS for a host. Raises KeyError if there is no such counter."""
        if counter not in HOST_COUNTERS and f"{counter.partition('.')[0]}.*" not in HOST_COUNTERS:
            raise KeyError(counter)
        self._hosts.setdefault(self.counted_as(host), Counter())[counter] += amount

    def add(self, hosts: object) -> None:
        """Add what another process has counted, as `described` returns it there."""
        for host, counters in hosts.items() if isinstance(hosts, Mapping) else ():
            for counter, amount in counters.items():
                self.count(host, counter, amount)

    def described(self) -> dict[str, dict[str, int]]:
        """Return the counters of each host, those with the most requests first."""
        busiest = sorted(self._hosts.items(), key=lambda each: -each[1]["requests"])
        return {host: dict.fromkeys(FIXED_HOST_COUNTERS, 0) | counters for host, counters in busiest}
