"""The text for Prometheus is read by its own parser, whatever the labels are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from addon.runtime.metrics.definitions import METRICS, PREFIX, Kind
from addon.runtime.metrics.exposition import exposition
from addon.runtime.metrics.histogram import BOUNDS, Histogram
from addon.runtime.metrics.samples import Samples


def parsed(samples: Samples) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(exposition(samples))}


def test_every_metric_can_be_read() -> None:
    samples, histogram = Samples(), Histogram()
    histogram.observe(0.003)
    for name, metric in METRICS.items():
        if metric.kind is Kind.HISTOGRAM:
            samples.add_histogram(name, histogram, *metric.labels)
        else:
            samples.add(name, 1.5, *metric.labels)
    families = parsed(samples)
    assert {PREFIX + name.removesuffix("_total") for name in METRICS} == families.keys()
    for name, metric in METRICS.items():
        family = families[PREFIX + name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.text)
        assert name.endswith("_total") == (metric.kind is Kind.COUNTER)


def test_buckets_are_cumulative() -> None:
    samples, histogram = Samples(), Histogram()
    for seconds in (0.0005, 0.003, 0.003, 99):
        histogram.observe(seconds)
    samples.add_histogram("event_loop_lag_seconds", histogram)
    rows = parsed(samples)[f"{PREFIX}event_loop_lag_seconds"].samples
    buckets = {row.labels["le"]: row.value for row in rows if row.name.endswith("_bucket")}
    assert len(buckets) == len(BOUNDS) + 1
    assert (buckets["0.001"], buckets["0.005"], buckets["10"], buckets["+Inf"]) == (1, 3, 3, 4)
    assert {row.name.rpartition("_")[2]: row.value for row in rows[-2:]} == {"sum": 99.0065, "count": 4}


@given(st.text(st.characters(codec="utf-8")))
def test_no_label_breaks_the_text(value: str) -> None:
    samples = Samples()
    samples.add("responses_total", 1, value, "200")
    samples.add("responses_total", 2, "b", "200")
    rows = parsed(samples)[f"{PREFIX}responses"].samples
    assert {row.labels["site"]: row.value for row in rows}[value] == (2 if value == "b" else 1) or value == "b"
