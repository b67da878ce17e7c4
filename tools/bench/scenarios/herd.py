"""Thundering herd: a thousand clients request one URL that is not stored, and the origin takes a second to send it."""

from __future__ import annotations

import statistics
from dataclasses import replace

from tools.bench.comparisons import OURS, OURS_WORKERS
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.testbed import Testbed
from tools.bench.workload import Workload, generator_options, run_generator

SERVERS = (OURS, OURS_WORKERS, "squid", "nginx", "varnish")

CLIENTS = 1000
ROUNDS = 3


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return for each server how often it asked the origin, and when half and all clients had their response."""
    names = testbed.options.available(SERVERS)
    servers = [testbed.start_server(name) for name in names]
    rounds: dict[str, list[tuple[int, float, float]]] = {name: [] for name in names}
    for number in range(ROUNDS):
        for server in servers:
            rounds[server.peer.name].append(_round(testbed, server, f"/slow/{server.peer.name}-{number}"))
    results = []
    for name, values in rounds.items():
        fetches, half, last = (statistics.median(column) for column in zip(*values, strict=True))
        results += [
            at_most(name, f"requests at the origin for {CLIENTS:,} clients", fetches, 1, ""),
            ScenarioResult(name, "time until half of the clients had the response", f"{half:.2f} s"),
            ScenarioResult(name, "time until all clients had the response", f"{last:.2f} s"),
        ]
    return results


def _round(testbed: Testbed, server: Server, path: str) -> tuple[int, float, float]:
    """Return requests at the origin, and seconds until half and all of the clients had the response."""
    before = len(testbed.origin.statuses("slow"))
    options = generator_options(Workload(path, size="100k"), server, CLIENTS, 0)
    result = run_generator(replace(options, burst=True), testbed.options.cores.load)
    return len(testbed.origin.statuses("slow")) - before, result["p50"], result["seconds"]
