"""Every metric is documented, and every counter that is one exists."""

from __future__ import annotations

from addon.runtime.counters import COUNTERS as COUNTER_NAMES
from addon.runtime.metrics.definitions import COUNTERS, METRICS, PREFIX
from tests.fixtures.documentation import PAGES


def test_the_documentation_lists_every_metric() -> None:
    page = (PAGES / "observability.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(f"| `{PREFIX}")]
    assert rows == [
        f"| `{PREFIX}{name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.text} |"
        for name, metric in METRICS.items()
    ]


def test_the_counters_that_are_metrics_exist() -> None:
    for counter, name in COUNTERS.items():
        family = f"{counter}.*"
        assert (family in COUNTER_NAMES) == bool(METRICS[name].labels)
        assert counter in COUNTER_NAMES or family in COUNTER_NAMES
