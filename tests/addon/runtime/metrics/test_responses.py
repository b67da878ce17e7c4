"""Responses are counted by site, decision and reason, and their times by outcome."""

from __future__ import annotations

import pytest

from addon.origin.exchange_times import ExchangeTimes
from addon.runtime.access_log.logged_response import LoggedResponse
from addon.runtime.metrics.responses import MAX_ROWS, ResponseMetrics
from addon.runtime.metrics.samples import Samples
from cache.answer.cache_status import Handling
from cache.policy.reasons import Forwarded, NotStored

MISS = Handling(fwd=Forwarded.URI_MISS, not_stored=NotStored.SET_COOKIE)


def samples_of(metrics: ResponseMetrics) -> Samples:
    samples = Samples()
    metrics.add_to(samples)
    return samples


@pytest.mark.parametrize(
    ("response", "labels", "outcome"),
    [
        (LoggedResponse(203, 5, handling=Handling(hit=True, detail="heuristic")), ("hit", ""), "hit"),
        (LoggedResponse(203, 5, handling=Handling(hit=True, ttl=-3, detail="offline")), ("hit", "offline"), "hit"),
        (LoggedResponse(200, 5, handling=MISS), ("uri-miss", "set-cookie"), "miss"),
        (LoggedResponse(203, 5, handling=Handling(fwd=Forwarded.STALE, fwd_status=304)), ("stale", ""), "validated"),
        (LoggedResponse(200, 5, handling=Handling(fwd=Forwarded.URI_MISS, collapsed=True)), ("uri-miss", ""), "miss"),
        (LoggedResponse(200, 5, handling=Handling(fwd=Forwarded.METHOD)), ("method", ""), "pass"),
        (LoggedResponse(502, 5, refused="fetch-failed"), ("refused", "fetch-failed"), "pass"),
        (LoggedResponse(200, 5), ("own", ""), "pass"),
        (LoggedResponse(200, 5, is_tunnel=True), ("tunnel", ""), None),
    ],
)
def test_a_response_has_a_decision_and_an_outcome(
    response: LoggedResponse, labels: tuple[str, str], outcome: str | None
) -> None:
    metrics = ResponseMetrics()
    metrics.note(response, "a.example", 0.02, None)
    samples = samples_of(metrics)
    assert samples.of("requests_total") == {("a.example", *labels): [1]}
    assert samples.of("responses_total") == {("a.example", str(response.status)): [1]}
    assert samples.of("response_bytes_total") == {("a.example", labels[0]): [5]}
    counted = [name for (name,), numbers in samples.of("request_duration_seconds").items() if sum(numbers[:-1])]
    assert counted == ([outcome] if outcome else [])


def test_hot_responses_are_counted_together() -> None:
    metrics = ResponseMetrics()
    metrics.note_hot("", 203, 1000, 5000)
    samples = samples_of(metrics)
    assert samples.of("requests_total") == {("", "hit", ""): [1000]}
    assert samples.of("response_bytes_total") == {("", "hit"): [5000]}
    assert samples.of("request_duration_seconds")["hit",][0] == 1000


def test_the_times_of_origins_are_counted_as_far_as_they_are_known() -> None:
    metrics = ResponseMetrics()
    metrics.note(LoggedResponse(200, 5, handling=MISS), "a", 0.02, ExchangeTimes(0.01, 0.02, 0.005))
    metrics.note(LoggedResponse(200, 5, handling=MISS), "a", 0.02, ExchangeTimes(0.01, 0.02))  # on an open connection
    metrics.note(LoggedResponse(502, 5, refused="x"), "a", 0.02, ExchangeTimes(whole=3, connect=None))
    samples = samples_of(metrics)
    counts = {
        name: sum(samples.of(name)["a",][:-1])
        for name in ("origin_connect_seconds", "origin_first_byte_seconds", "origin_response_seconds")
    }
    assert list(counts.values()) == [1, 2, 3]


def test_there_are_never_too_many_series() -> None:
    metrics = ResponseMetrics()
    for number in range(MAX_ROWS + 10):
        metrics.note(
            LoggedResponse(200, 1, handling=Handling(fwd=Forwarded.URI_MISS, detail=f"d{number}")), "", 0, None
        )
    rows = samples_of(metrics).of("requests_total")
    assert len(rows) == MAX_ROWS + 1
    assert rows["", "uri-miss", "other"] == [10]
