"""Counts of the responses that clients got, and of the times that they took."""

from __future__ import annotations

from addon.origin.exchange_times import ExchangeTimes
from addon.runtime.access_log.logged_response import LoggedResponse
from addon.runtime.metrics.definitions import TIMED_OUTCOMES
from addon.runtime.metrics.histogram import Histogram
from addon.runtime.metrics.host_times import HostTimes
from addon.runtime.metrics.samples import Samples
from cache.policy.reasons import Forwarded

MAX_ROWS = 2_000
"""Combinations of labels that are counted apart; the reason and the status of all later ones are `other`."""

OTHER = "other"
OWN = "own"
"""The decision about a response that is neither from the cache nor an error: the set-up page."""

HIT, VALIDATED, MISS, PASS = TIMED_OUTCOMES

_NO_MISS = frozenset({Forwarded.BYPASS, Forwarded.METHOD})

type _Row = tuple[str, str, str, str]
"""Site, decision, reason, and status."""


class ResponseMetrics:
    """The counts of one process. They belong to its event loop.

    Attributes:
        host_times: The times of origins by host.
    """

    def __init__(self) -> None:
        self.host_times = HostTimes()
        self._rows: dict[_Row, list[int]] = {}
        self._durations = {outcome: Histogram() for outcome in TIMED_OUTCOMES}
        self._connects: dict[str, Histogram] = {}
        self._heads: dict[str, Histogram] = {}
        self._wholes: dict[str, Histogram] = {}

    def note(self, response: LoggedResponse, site: str, seconds: float, upstream: ExchangeTimes | None) -> None:
        """Count a response that was sent to a client, to a request of a site that began `seconds` ago."""
        row = self._row(site, response.decision or OWN, metric_reason(response), str(response.status))
        row[0] += 1
        row[1] += response.size
        if not response.is_tunnel:
            self._durations[_outcome(response)].observe(seconds)
        if upstream is None:
            return
        if upstream.connect:
            _histogram(self._connects, site).observe(upstream.connect)
        if upstream.head is not None:
            _histogram(self._heads, site).observe(upstream.head)
            if response.request is not None:
                self.host_times.observe(response.request.authority, upstream.head)
        if upstream.whole is not None:
            _histogram(self._wholes, site).observe(upstream.whole)

    def note_hot(self, site: str, status: int, responses: int, size: int) -> None:
        """Count hot responses, with `size` bytes of content together."""
        row = self._row(site, HIT, "", str(status))
        row[0] += responses
        row[1] += size
        self._durations[HIT].observe_zeros(responses)

    def _row(self, site: str, decision: str, reason: str, status: str) -> list[int]:
        """Return the number of responses and their bytes under these labels."""
        place = site, decision, reason, status
        row = self._rows.get(place)
        if row is None:
            if len(self._rows) >= MAX_ROWS:
                place = site, decision, OTHER, OTHER
            row = self._rows.setdefault(place, [0, 0])
        return row

    def add_to(self, samples: Samples) -> None:
        """Add the counts to the values of this process."""
        for (site, decision, reason, status), (responses, size) in self._rows.items():
            samples.add("requests_total", responses, site, decision, reason)
            samples.add("responses_total", responses, site, status)
            samples.add("response_bytes_total", size, site, decision)
        for outcome, durations in self._durations.items():
            samples.add_histogram("request_duration_seconds", durations, outcome)
        for name, by_site in (
            ("origin_connect_seconds", self._connects),
            ("origin_first_byte_seconds", self._heads),
            ("origin_response_seconds", self._wholes),
        ):
            for site, histogram in by_site.items():
                samples.add_histogram(name, histogram, site)


def _histogram(by_site: dict[str, Histogram], site: str) -> Histogram:
    found = by_site.get(site)
    if found is None:
        found = by_site[site] = Histogram()
    return found


def metric_reason(response: LoggedResponse) -> str:
    """Return the reason as a label: that of a fresh hit would say nothing about the cache."""
    handling = response.handling
    return "" if handling is not None and handling.hit and (handling.ttl or 0) >= 0 else response.reason


def _outcome(response: LoggedResponse) -> str:
    handling = response.handling
    if handling is None or handling.fwd in _NO_MISS:
        return PASS
    if handling.hit:
        return HIT
    return MISS if handling.is_miss or handling.collapsed else VALIDATED
