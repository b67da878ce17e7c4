"""Hits on 100,000 stored responses: the first ones after a restart, which read the disk, and later ones.

The figures are CPU times per request: our load generator, which asks for each URL once, is slower than some servers.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tools.bench.comparisons import OURS, OURS_COMPILED, OURS_PLAIN
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_least
from tools.bench.testbed import Testbed
from tools.bench.workload import LoadFailed, Workload, apply_load, generator_options, run_generator

SERVERS = (OURS, OURS_PLAIN, OURS_COMPILED, "squid-disk", "nginx")

FEW, MANY = 100, 100_000
TIMEOUT = 600
"""Seconds for one request to each URL."""

FIRST_HIT_TARGETS = {"squid-disk": 1.0, "nginx": 0.4}
"""The least ratio of the other's CPU time to ours, by server."""

TOLERATED_MISSES = {"squid-disk": 0.1}
"""Requests to the origin after the restart, for each stored response, by server; 0.001 for others.

In Squid's index, two URLs with the same hash displace each other, and under load it does not write every response.
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU times of one server, in seconds per request."""

    first: float
    """A first hit after a restart."""
    few: float
    """Hits on few responses."""
    many: float
    """Hits on many responses, each of which has been asked for once."""


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return the CPU times of each server, and the ratios. Raises LoadFailed if a request was not a hit."""
    costs = {name: _costs(testbed, testbed.start_server(name)) for name in testbed.options.available(SERVERS)}
    results = []
    for name, each in costs.items():
        results += [
            ScenarioResult(name, f"first hits on {MANY:,} stored responses after a restart", _shown(each.first)),
            ScenarioResult(name, f"hits on {FEW:,} of them", _shown(each.few)),
            ScenarioResult(name, f"hits on all {MANY:,} of them", _shown(each.many)),
        ]
    return results + _ratios(costs)


def _ratios(costs: Mapping[str, Costs]) -> list[ScenarioResult]:
    results = []
    for server in (OURS, OURS_COMPILED):
        if ours := costs.get(server):
            results.append(at_least(server, f"CPU of {FEW:,} / CPU of {MANY:,}", ours.few / ours.many, 0.8))
            for other in [name for name in FIRST_HIT_TARGETS if name in costs]:
                ratio, limit = costs[other].first / ours.first, FIRST_HIT_TARGETS[other]
                results.append(at_least(server, f"first hits: CPU of {other} / ours", ratio, limit))
    return results


def _costs(testbed: Testbed, server: Server) -> Costs:
    ask_for_all(testbed, server)
    ask_for_all(testbed, server)  # again, for what a server did not write the first time
    server.stop()
    server.start()
    origin_requests = testbed.origin.requests()
    first = ask_for_all(testbed, server)
    # a second time, so that every server has in memory what it keeps there
    ask_for_all(testbed, server)
    few, many = _cost_of_hits(testbed, server, FEW), _cost_of_hits(testbed, server, MANY)
    fetched = testbed.origin.requests() - origin_requests
    if fetched > MANY * TOLERATED_MISSES.get(server.peer.name, 0.001):
        raise LoadFailed(f"{server.peer.name} asked the origin {fetched:,} times for what it had stored")
    return Costs(first, few, many)


def ask_for_all(testbed: Testbed, server: Server) -> float:
    """Request each URL once; return the server's CPU time per request, in seconds."""
    options = testbed.options
    load = generator_options(Workload("/key/", keys=str(MANY)), server, options.connections, TIMEOUT)
    before = server.cpu()
    run_generator(replace(load, each_key_once=True), options.cores.load)
    return (server.cpu() - before) / MANY


def _cost_of_hits(testbed: Testbed, server: Server, count: int) -> float:
    """Return the median over rounds of the CPU time per hit on `count` URLs at random, in seconds."""
    options, costs = testbed.options, []
    for number in range(options.rounds):
        before = server.cpu()
        outcome = apply_load(
            Workload("/key/", keys=str(count)),
            server,
            core=options.cores.load,
            connections=options.connections,
            seconds=options.seconds,
            number=number,
        )
        if outcome.errors:
            raise LoadFailed(f"{server.peer.name} answered {outcome.errors} requests with an error or not at all")
        costs.append((server.cpu() - before) / outcome.requests)
    return statistics.median(costs)


def _shown(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"
