"""Counters of a running proxy since its start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from addon.runtime.host_counters import HostCounter, HostCounters

type CounterName = str | HostCounter
"""The name of a counter of COUNTERS, or of a host's counter."""

COUNTERS = {
    "requests": "requests that reached the cache",
    "requests.http": "of them, for http URLs",
    "requests.https": "of them, for https URLs",
    "answers.*": "responses by `hit`, or by the `fwd` reason of Cache-Status",
    "hits": "responses from a copy, without a request to the origin",
    "hits.http": "of them, for http URLs",
    "hits.https": "of them, for https URLs",
    "hits.stale": "of them, from a stale copy",
    "misses.*": "responses with the origin's content where a copy could have been used, by the `fwd` reason",
    "validated": "responses from a copy that the origin has confirmed",
    "stale": "responses from a stale copy, including those after an error of the origin",
    "milliseconds.saved": "time that origins had taken for the responses that were now sent from copies",
    "exempted.*": "responses from a copy that kept status 200, by the name of the client rule",
    "origin.fetches": "requests sent to origins, validations included",
    "origin.validations": "of them, conditional requests for a stored response",
    "stored": "responses stored",
    "freshened": "stored responses updated by a 304",
    "evicted": "stored responses deleted to make room for others, by this process",
    "not_stored.*": "responses relayed but not stored, by reason",
    "compressed": "compressed forms made of stored responses",
    "not_compressed.*": "stored responses, or forms of them, that were not compressed, by reason",
    "refused.*": "errors and redirects of the proxy's own, by reason",
    "set_up_page": "responses with the set-up page, or with the CA certificate from it",
    "octets.from_copy": "bytes of content sent from copies",
    "octets.from_origin": "bytes of content received from origins",
    "distrusted": "TLS connections that clients ended with an alert: they do not accept this proxy's certificate",
    "tls_failures": "TLS connections of clients that failed for another reason",
    "passed_through": "tunnels whose bytes were passed through",
    "streams_reset.*": "requests over HTTP/2 that were refused or ended because of a limit, by reason",
    "disconnected.*": "HTTP/2 connections of clients that broke a rule or a limit, by reason",
    "dropped.*": "contents from origins that must not reach any client, by reason",
    "engine.slow": "times that a reply of the shared store's engine was late",
    "engine.lost": "connections to the shared store's engine that were lost",
    "failures.*": "exchanges with an origin that failed, by kind",
}
"""All counters. `.*` marks a family of counters; each member appears when it is first counted."""


def members_of(counters: Mapping[str, int], family: str) -> dict[str, int]:
    """Return the members of a family that have counted something, by their names in it, the largest first."""
    prefix = f"{family}."
    found = {name.removeprefix(prefix): count for name, count in counters.items() if count and name.startswith(prefix)}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


class Counters:
    """Named counters. They can be used from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = Counter({name: 0 for name in COUNTERS if not name.endswith(".*")})
        self._hosts = HostCounters()
        self._sources: list[Callable[[], None]] = []

    def add_source(self, source: Callable[[], None]) -> None:
        """Call `source` before the counters are read: a part that counts on its own adds its counts then."""
        self._sources.append(source)

    def count(self, name: CounterName, amount: int = 1) -> None:
        """Add to a counter of COUNTERS. Raises KeyError for any other name."""
        self.count_each((name,), amount)

    def count_each(self, names: Iterable[CounterName], amount: int = 1) -> None:
        """Add to several counters, those of COUNTERS and those of hosts. Raises KeyError for any other name."""
        with self._lock:
            for name in names:
                if isinstance(name, tuple):
                    host, counter = name
                    self._hosts.count(host, counter, amount)
                    continue
                if name not in self._counts and name.partition(".")[0] + ".*" not in COUNTERS:
                    raise KeyError(name)
                self._counts[name] += amount

    def counted_as(self, host: str) -> str:
        """Return the name under which a host is counted; there are not many."""
        return self._hosts.counted_as(host)

    def snapshot(self) -> dict[str, int]:
        """Return all counters but those of hosts, by name."""
        for source in self._sources:
            source()
        with self._lock:
            return dict(sorted(self._counts.items()))

    def hosts(self) -> dict[str, dict[str, int]]:
        """Return the counters of each host."""
        for source in self._sources:
            source()
        with self._lock:
            return self._hosts.described()
