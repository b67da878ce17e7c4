"""Figures as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.bench.finding import Finding
from tools.bench.lines import OURS, Aim, Line
from tools.bench.rounds import Figures

HEAD = ("server", "requests/s", "spread", "p50", "p99", "CPU/request", "core", "load idle", "strangers", "RSS", "peak")


def text(line: Line, figures: Mapping[str, Figures]) -> str:
    """Return a line's table and its ratios."""
    rows = [HEAD, *(row(name, one) for name, one in figures.items())]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in rows]
    return "\n".join(
        ["", f"{line.name}: {line.says}", *table, *(said for aim in line.aims if (said := ratio(aim, figures)))]
    )


def row(name: str, one: Figures) -> tuple[str, ...]:
    """Return a server's cells under `HEAD`."""
    return (
        name,
        f"{one.rate:,.0f}",
        f"{one.lowest_rate:,.0f}-{one.highest_rate:,.0f}",
        milliseconds(one.p50),
        milliseconds(one.p99),
        f"{one.cpu * 1e6:,.1f} µs",
        f"{one.busy:.0%}",
        f"{one.load_idle:.0%}",
        f"{one.strangers:.0%}",
        mebibytes(one.memory),
        mebibytes(one.peak_memory),
    )


def ratio(aim: Aim, figures: Mapping[str, Figures]) -> str:
    """Return what an aim came to, or nothing where somebody was not measured."""
    measured = [name for name in aim.others if name in figures]
    if OURS not in figures or not measured:
        return ""
    ours, there = figures[OURS], [figures[name] for name in measured]
    whose = _best_of(measured)
    if aim.most is not None:
        came = ours.p99 / min(one.p99 for one in there)
        return f"p99, ours / {whose}: {came:.2f} (at most {aim.most:g}): {_verdict(came <= aim.most)}"
    came = ours.rate / max(one.rate for one in there)
    return f"requests/s, ours / {whose}: {came:.2f} (at least {aim.least:g}): {_verdict(came >= (aim.least or 0))}"


def milliseconds(seconds: float) -> str:
    """Return a time."""
    return f"{seconds * 1e3:.2f} ms"


def mebibytes(octets: float) -> str:
    """Return a size."""
    return f"{octets / (1 << 20):,.0f} MiB"


def _best_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"best of {', '.join(names)}"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def findings(name: str, found: Sequence[Finding]) -> str:
    """Return what a scenario came to."""
    lines = [f"{one.who}: {one.what}: {one.came}{judged(one)}" for one in found]
    return "\n".join(["", name, *lines])


def judged(one: Finding) -> str:
    """Return what was aimed at, and whether it was reached."""
    return "" if one.reached is None else f" ({one.limit}): {_verdict(one.reached)}"
