"""Hits on many small stored responses compared with hits on few, and the rate of first hits, which read the disk."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial

from tools.bench.comparisons import OURS
from tools.bench.scenario_result import ScenarioResult, at_least
from tools.bench.scenarios.prefilled_store import AUTHORITY, fill
from tools.bench.testbed import Testbed
from tools.bench.workload import LoadFailed, Workload, apply_load, generator_options, run_generator

FEW, MANY = 100, 100_000
TIMEOUT = 600
"""Seconds for one request to each stored response."""


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Request every response once, then return the rates of hits on few and on many, and their ratio.

    Raises LoadFailed if a request was not a hit.
    """
    options = testbed.options
    servers = {count: testbed.start_server(OURS, partial(fill, options, count)) for count in (FEW, MANY)}
    workloads = {count: Workload("/key/", keys=str(count), authority=AUTHORITY) for count in servers}
    first_hits: dict[int, float] = {}
    for count, server in servers.items():
        load = generator_options(workloads[count], server, options.connections, TIMEOUT)
        result = run_generator(replace(load, each_key_once=True), options.cores.load)
        first_hits[count] = result["requests"] / result["seconds"]
    rates: dict[int, list[float]] = {count: [] for count in servers}
    for number in range(options.rounds + 1):
        for count, server in servers.items():
            outcome = apply_load(
                workloads[count],
                server,
                core=options.cores.load,
                connections=options.connections,
                seconds=options.seconds,
                number=number,
            )
            if outcome.errors:
                raise LoadFailed(
                    f"{outcome.errors} of {outcome.requests} requests were not hits on {count:,} responses"
                )
            if number:  # round 0 is the warm-up
                rates[count].append(outcome.requests / outcome.seconds)
    origin_requests = testbed.origin.requests()
    few, many = (statistics.median(rates[count]) for count in (FEW, MANY))
    return [
        ScenarioResult(
            OURS, f"first hits on {MANY:,} stored responses, read from the disk", f"{first_hits[MANY]:,.0f} /s"
        ),
        ScenarioResult(OURS, f"hits on {FEW:,} stored responses", f"{few:,.0f} /s"),
        ScenarioResult(OURS, f"hits on {MANY:,} stored responses", f"{many:,.0f} /s"),
        at_least(OURS, f"ratio of {MANY:,} to {FEW:,}", many / few, 0.8),
        ScenarioResult(OURS, "requests at the origin", f"{origin_requests}", "0", origin_requests == 0),
    ]
