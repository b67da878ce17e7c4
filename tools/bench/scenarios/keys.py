"""Whether many stored responses make hits slower than few, all of them small, and how fast each is found at first."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial

from tools.bench.finding import Finding, at_least
from tools.bench.lines import OURS
from tools.bench.scenarios.filled import AUTHORITY, fill
from tools.bench.stage import Stage
from tools.bench.work import LoadFailed, Work, load, load_of, run

FEW, MANY = 100, 100_000
PATIENCE = 600
"""Seconds for asking once for each."""


def measure(stage: Stage) -> list[Finding]:
    """Return the rates of hits on few and on many, each of which was asked for once before, and their ratio."""
    bench = stage.bench
    servers = {count: stage.start(OURS, partial(fill, bench, count)) for count in (FEW, MANY)}
    works = {count: Work("/key/", keys=str(count), authority=AUTHORITY) for count in servers}
    first: dict[int, float] = {}
    for count, server in servers.items():
        sweep = replace(load_of(works[count], server, bench.connections, PATIENCE), sweep=True)
        came = run(sweep, bench.cores.load)
        first[count] = came["requests"] / came["seconds"]
    rates: dict[int, list[float]] = {count: [] for count in servers}
    for number in range(bench.rounds + 1):
        for count, server in servers.items():
            outcome = load(works[count], server, bench.cores.load, bench.connections, bench.seconds, number)
            if outcome.errors:
                raise LoadFailed(f"{outcome.errors} of {outcome.requests} requests were not answered from {count:,}")
            if number:  # the first one warms up
                rates[count].append(outcome.requests / outcome.seconds)
    asked = stage.origin.requests()
    few, many = (statistics.median(rates[count]) for count in (FEW, MANY))
    return [
        Finding(OURS, f"first hits on {MANY:,} stored responses, read from the disk", f"{first[MANY]:,.0f} /s"),
        Finding(OURS, f"hits on {FEW:,} stored responses", f"{few:,.0f} /s"),
        Finding(OURS, f"hits on {MANY:,} stored responses", f"{many:,.0f} /s"),
        at_least(OURS, "ratio", many / few, 0.8),
        Finding(OURS, "requests at the origin", f"{asked}", "0", asked == 0),
    ]
