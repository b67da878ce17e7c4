"""Whether many stored responses make hits slower than few, all of them small."""

from __future__ import annotations

import statistics
from functools import partial

from tests.bench.finding import Finding, at_least
from tests.bench.lines import OURS
from tests.bench.scenarios.filled import AUTHORITY, fill
from tests.bench.stage import Stage
from tests.bench.work import LoadFailed, Work, load

FEW, MANY = 100, 100_000


def measure(stage: Stage) -> list[Finding]:
    """Return the rates of hits on few and on many, and their ratio."""
    bench = stage.bench
    servers = {count: stage.start(OURS, partial(fill, bench, count)) for count in (FEW, MANY)}
    rates: dict[int, list[float]] = {count: [] for count in servers}
    for number in range(bench.rounds + 1):
        for count, server in servers.items():
            work = Work("/key/", keys=str(count), authority=AUTHORITY)
            came = load(work, server, bench.cores.load, bench.connections, bench.seconds, number)
            if came.errors:
                raise LoadFailed(f"{came.errors} of {came.requests} requests were not answered from {count:,}")
            if number:  # the first one warms up
                rates[count].append(came.requests / came.seconds)
    asked = stage.origin.requests()
    few, many = (statistics.median(rates[count]) for count in (FEW, MANY))
    return [
        Finding(OURS, f"hits on {FEW:,} stored responses", f"{few:,.0f} /s"),
        Finding(OURS, f"hits on {MANY:,} stored responses", f"{many:,.0f} /s"),
        at_least(OURS, "ratio", many / few, 0.8),
        Finding(OURS, "requests at the origin", f"{asked}", "0", asked == 0),
    ]
