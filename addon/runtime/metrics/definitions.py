"""All metrics: their names, kinds, labels and meanings.

The values of a label are few: names of reasons, statuses, and what the settings name. No host or URL of a request is
one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "secondhand_"

TIMED_OUTCOMES = ("hit", "validated", "miss", "pass")
"""The outcomes by which the durations of requests are counted."""


class Kind(StrEnum):
    """The kinds of metrics, as Prometheus names them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """The ways to make one value of those of several processes."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    kind: Kind
    text: str
    """Its meaning."""
    labels: tuple[str, ...] = ()
    merge: Merge = Merge.SUM


def _counter(text: str, *labels: str) -> Metric:
    return Metric(Kind.COUNTER, text, labels)


def _gauge(text: str, *labels: str, merge: Merge = Merge.SUM) -> Metric:
    return Metric(Kind.GAUGE, text, labels, merge)


def _histogram(text: str, *labels: str) -> Metric:
    return Metric(Kind.HISTOGRAM, text, labels)


METRICS = {
    # requests of clients
    "requests_total": _counter(
        "Responses sent, by site, decision (hit, the fwd of Cache-Status, refused, tunnel or own) and reason.",
        *("site", "decision", "reason"),
    ),
    "responses_total": _counter("Responses sent, by site and status.", "site", "code"),
    "response_bytes_total": _counter("Bytes of content sent, by site and decision.", "site", "decision"),
    "request_duration_seconds": _histogram(
        "Seconds from the head of a request to the end of its response, by outcome: hit, validated (the origin"
        " confirmed the copy), miss, or pass (anything else). A hit from the hot cache counts as 0.",
        "outcome",
    ),
    # origins
    "origin_connect_seconds": _histogram("Seconds to open a connection to an origin, by site.", "site"),
    "origin_first_byte_seconds": _histogram("Seconds until an origin's response head was there, by site.", "site"),
    "origin_response_seconds": _histogram("Seconds until an origin's response was complete, by site.", "site"),
    "origin_requests_total": _counter("Requests sent to origins, validations included."),
    "origin_validations_total": _counter("Conditional requests sent to origins, for stored responses."),
    "origin_bytes_total": _counter("Bytes of content received from origins."),
    "origin_failures_total": _counter("Exchanges with origins that failed, by kind.", "kind"),
    "origins_left_alone": _gauge("Origins that do not answer and are left alone.", merge=Merge.MAX),
    "origin_up": _gauge("1 while an origin of a site is up, else 0.", "site", "origin", merge=Merge.MIN),
    "site_requests_total": _counter("Requests that an origin of a site has answered.", "site", "origin"),
    "site_failures_total": _counter("Requests that an origin of a site has failed.", "site", "origin"),
    # the cache
    "stored_total": _counter("Responses stored."),
    "freshened_total": _counter("Stored responses updated by a 304."),
    "not_stored_total": _counter("Responses that were not stored, by reason.", "reason"),
    "stale_total": _counter("Stale responses sent."),
    "store_evictions_total": _counter("Stored responses deleted to make room for others."),
    "store_bytes": _gauge("Bytes in use in the store, unless that is an engine.", merge=Merge.MAX),
    "store_max_bytes": _gauge(
        "Bytes that the store may use. Only the engine of a shared store knows it.", merge=Merge.MAX
    ),
    "store_working": _gauge("1 while the store can store responses, else 0.", merge=Merge.MIN),
    "store_errors_total": _counter("Operations on the store that failed."),
    "engine_slow_total": _counter("Times that a reply of the shared store's engine was late."),
    "engine_lost_total": _counter("Connections to the shared store's engine that were lost."),
    "tier_bytes": _gauge("Bytes in use in a tier before the store: hot (ready responses) or memory.", "tier"),
    "tier_entries": _gauge("Responses in a tier before the store.", "tier"),
    "flights": _gauge("Fetches under way; other requests may wait for them."),
    "fills": _gauge("Responses that are being stored as they arrive."),
    "refused_total": _counter("Errors and redirects of the proxy's own, by reason.", "reason"),
    # connections
    "connections": _gauge("Open connections of clients."),
    "disconnected_total": _counter("Connections of clients that broke a rule or a limit, by reason.", "reason"),
    "http2_resets_total": _counter(
        "Requests over HTTP/2 that were refused or ended because of a limit, by reason.", "reason"
    ),
    "tls_failures_total": _counter("TLS connections of clients that failed."),
    "tunnels_passed_through_total": _counter("Tunnels whose bytes were passed through."),
    # the process
    "event_loop_lag_seconds": _histogram("Seconds by which an event loop was late, looked at four times a second."),
    "processes": _gauge("Processes that serve clients."),
    "start_time_seconds": _gauge("The time of the start, in seconds since 1970.", merge=Merge.MIN),
    "build_info": _gauge("1, with the version as a label.", "version", merge=Merge.MAX),
}
"""All metrics by name, without the prefix."""

COUNTERS = {
    "origin.fetches": "origin_requests_total",
    "origin.validations": "origin_validations_total",
    "octets.from_origin": "origin_bytes_total",
    "failures": "origin_failures_total",
    "stored": "stored_total",
    "freshened": "freshened_total",
    "not_stored": "not_stored_total",
    "stale": "stale_total",
    "evicted": "store_evictions_total",
    "engine.slow": "engine_slow_total",
    "engine.lost": "engine_lost_total",
    "refused": "refused_total",
    "disconnected": "disconnected_total",
    "streams_reset": "http2_resets_total",
    "tls_failures": "tls_failures_total",
    "passed_through": "tunnels_passed_through_total",
}
"""The metrics that are counters of `addon.runtime.counters`; a member of a family has its name as the label."""
