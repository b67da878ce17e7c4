"""The text in which Prometheus reads metrics (text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from addon.runtime.metrics.definitions import METRICS, PREFIX, Kind
from addon.runtime.metrics.histogram import BOUNDS
from addon.runtime.metrics.samples import Samples

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exposition(samples: Samples) -> str:
    """Return the text of all metrics that have a value."""
    return "".join([f"{line}\n" for line in _lines(samples)])


def _lines(samples: Samples) -> Iterator[str]:
    for short, metric in METRICS.items():
        rows = samples.of(short)
        if not rows:
            continue
        name = PREFIX + short
        yield f"# HELP {name} {metric.text}"
        yield f"# TYPE {name} {metric.kind}"
        for labels, numbers in sorted(rows.items()):
            pairs = list(zip(metric.labels, labels, strict=True))
            if metric.kind is Kind.HISTOGRAM:
                yield from _histogram_lines(name, pairs, numbers)
            else:
                yield f"{name}{_labels(pairs)} {_number(numbers[0])}"


def _histogram_lines(name: str, pairs: list[tuple[str, str]], numbers: Sequence[float]) -> Iterator[str]:
    *counts, total = numbers
    bounds = [*map(_number, BOUNDS), "+Inf"]
    *_, count = cumulative = list(accumulate(counts))
    for bound, each in zip(bounds, cumulative, strict=True):
        yield f"{name}_bucket{_labels([*pairs, ('le', bound)])} {_number(each)}"
    yield f"{name}_sum{_labels(pairs)} {_number(total)}"
    yield f"{name}_count{_labels(pairs)} {_number(count)}"


def _labels(pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    return "{" + ",".join([f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs]) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
