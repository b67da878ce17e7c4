"""Values of metrics at one moment: of one process, or of several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from addon.runtime.metrics.definitions import METRICS, Kind, Merge
from addon.runtime.metrics.histogram import BOUNDS, Histogram

type Labels = tuple[str, ...]

_LENGTH = len(BOUNDS) + 2
"""Numbers of a histogram: its counts, and the sum."""


class Samples:
    """Numbers by metric and labels. That of a counter or a gauge is one; a histogram has its counts and the sum."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Labels, list[float]]] = {}

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add the value of a counter or a gauge to what is known under these labels. Raises KeyError for no metric."""
        self._merge(name, labels, [value])

    def add_histogram(self, name: str, histogram: Histogram, *labels: str) -> None:
        """Add a histogram. Raises KeyError if there is no such metric."""
        self._merge(name, labels, [*histogram.counts, histogram.total])

    def _merge(self, name: str, labels: Labels, numbers: Sequence[float]) -> None:
        metric = METRICS[name]
        if len(labels) != len(metric.labels):
            raise KeyError(f"{name}: expected the labels {', '.join(metric.labels)}")
        known = self._numbers.setdefault(name, {}).setdefault(labels, [])
        if not known:
            known += numbers
        elif metric.merge is Merge.SUM:
            known[:] = [one + other for one, other in zip(known, numbers, strict=True)]
        else:
            known[0] = max(known[0], numbers[0]) if metric.merge is Merge.MAX else min(known[0], numbers[0])

    def of(self, name: str) -> Mapping[Labels, Sequence[float]]:
        """Return the numbers of a metric by labels."""
        return self._numbers.get(name, {})

    def described(self) -> dict[str, object]:
        """Return the values for another process, as JSON can have them."""
        return {name: [[list(labels), *each] for labels, each in rows.items()] for name, rows in self._numbers.items()}

    def add_described(self, described: Mapping[str, object], *, lasting_only: bool = False) -> None:
        """Add the values of another process, as `described` has returned them there.

        What is not understood is left out: it may run another version. `lasting_only`: the process has ended, so only
        what it has counted goes on to be true.
        """
        for name, rows in described.items():
            metric = METRICS.get(name)
            if metric is None or not isinstance(rows, list) or (lasting_only and metric.kind is Kind.GAUGE):
                continue
            for row in rows:
                labels, *numbers = row
                fits = len(numbers) == (_LENGTH if metric.kind is Kind.HISTOGRAM else 1)
                if fits and len(labels) == len(metric.labels):
                    self._merge(name, tuple(map(str, labels)), [float(number) for number in numbers])
