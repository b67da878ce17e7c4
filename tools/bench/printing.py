"""Figures and results as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tools.bench.comparisons import OURS, OURS_COMPILED, Comparison, Target
from tools.bench.rounds import Figures
from tools.bench.scenario_result import ScenarioResult

HEAD = (
    "server",
    "requests/s",
    "range",
    "p50",
    "p99",
    "CPU/request",
    "core used",
    "load idle",
    "other CPU",
    "RSS",
    "peak RSS",
)


def text(comparison: Comparison, figures: Mapping[str, Figures]) -> str:
    """Return a comparison's table and its ratios, for a terminal."""
    rows = [HEAD, *(row(name, each) for name, each in figures.items())]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in rows]
    return "\n".join(["", f"{comparison.name}: {comparison.title}", *table, *ratios(comparison, figures)])


def row(name: str, figures: Figures) -> tuple[str, ...]:
    """Return a server's cells, in the order of `HEAD`."""
    return (
        name,
        f"{figures.rate:,.0f}",
        f"{figures.lowest_rate:,.0f}-{figures.highest_rate:,.0f}",
        milliseconds(figures.p50),
        milliseconds(figures.p99),
        f"{figures.cpu * 1e6:,.1f} µs",
        f"{figures.core_use:.0%}",
        f"{figures.load_idle:.0%}",
        f"{figures.other_cpu:.0%}",
        mebibytes(figures.memory),
        mebibytes(figures.peak_memory),
    )


def ratios(comparison: Comparison, figures: Mapping[str, Figures]) -> Iterator[str]:
    """Iterate over the ratios that the targets are about, with verdicts; without those of which a side is missing."""
    for target in comparison.targets:
        measured = [name for name in target.others if name in figures]
        for name, words in ((OURS, "ours"), (OURS_COMPILED, "ours, compiled")):
            if measured and name in figures:
                compared_to = measured[0] if len(measured) == 1 else f"best of {', '.join(measured)}"
                others = [figures[each] for each in measured]
                yield _ratio(target, figures[name], others, f"{words} / {compared_to}")


def _ratio(target: Target, ours: Figures, others: Sequence[Figures], compared: str) -> str:
    if target.max_p99_ratio is not None:
        limit, value = target.max_p99_ratio, ours.p99 / min(each.p99 for each in others)
        return f"p99, {compared}: {value:.2f} (at most {limit:g}): {_verdict(value <= limit)}"
    if target.min_cpu_ratio is not None:
        limit, value = target.min_cpu_ratio, min(each.cpu for each in others) / ours.cpu
        verdict = f"{value:.2f} (at least {limit:g}): {_verdict(value >= limit)}"
        return f"requests per second of CPU, {compared}: {verdict}"
    limit, value = target.min_rate_ratio or 0, ours.rate / max(each.rate for each in others)
    return f"requests/s, {compared}: {value:.2f} (at least {limit:g}): {_verdict(value >= limit)}"


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds."""
    return f"{seconds * 1e3:.2f} ms"


def mebibytes(size: float) -> str:
    """Return a size, given in bytes, in MiB."""
    return f"{size / (1 << 20):,.0f} MiB"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def scenario(name: str, results: Sequence[ScenarioResult]) -> str:
    """Return the results of a scenario, for a terminal."""
    lines = []
    for each in results:
        target = target_of(each)
        lines.append(f"{each.server}: {each.name}: {each.value}" + (f" ({target})" if target else ""))
    return "\n".join(["", name, *lines])


def target_of(result: ScenarioResult) -> str:
    """Return the target of a result and the verdict; empty if it has no target."""
    return "" if result.reached is None else f"{result.target}: {_verdict(result.reached)}"
