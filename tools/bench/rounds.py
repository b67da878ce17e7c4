"""Rounds of a comparison: all servers take turns, so that a disturbance of the machine affects all of them."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tools.bench.comparisons import Comparison
from tools.bench.cores import core_times
from tools.bench.peers.peer import Server
from tools.bench.testbed import Testbed
from tools.bench.workload import apply_load

WARM_UP = 1
"""Seconds; wrk takes whole seconds only."""

DISTURBED = 0.1
"""Share of a core: a round in which other processes used more is repeated."""

ATTEMPTS = 3

TOLERANCE = 0.02
"""Share of the requests that may reach the origin unexpectedly, or not reach it."""


@dataclass(frozen=True, slots=True)
class Round:
    """Figures of one server in one round."""

    rate: float
    """Requests per second."""
    p50: float
    """Seconds."""
    p99: float
    """Seconds."""
    cpu: float
    """Seconds of CPU time per request."""
    core_use: float
    """Share of its core that the server used."""
    load_idle: float
    """Idle share of the core of load generator or origin; of two cores, the busier one."""
    other_cpu: float
    """CPU time of processes outside the measurement, as a share of one core."""
    origin_requests: float
    """Requests at the origin per client request."""
    errors: int
    requests: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one server over all rounds: for each figure the median, unless its name says otherwise."""

    rate: float
    lowest_rate: float
    highest_rate: float
    p50: float
    p99: float
    lowest_p99: float
    highest_p99: float
    cpu: float
    core_use: float
    load_idle: float
    other_cpu: float
    origin_requests: float
    errors: int
    """In all rounds together."""
    requests: float
    memory: int
    """RSS after the last round, in bytes."""
    peak_memory: int
    """Peak RSS, in bytes."""


def measure(comparison: Comparison, testbed: Testbed) -> dict[str, Figures]:
    """Start the servers, warm them up, measure all rounds, and return the figures by server."""
    options = testbed.options
    servers = [testbed.start_server(name) for name in options.available(comparison.servers)]
    rounds: dict[str, list[Round]] = {server.peer.name: [] for server in servers}
    for server in servers:
        apply_load(
            comparison.workload, server, core=options.cores.load, connections=options.connections, seconds=WARM_UP
        )
    for number in range(1, options.rounds + 1):
        for server in servers:
            rounds[server.peer.name].append(_undisturbed_round(comparison, server, testbed, number))
    return {server.peer.name: _figures(rounds[server.peer.name], server) for server in servers}


def _undisturbed_round(comparison: Comparison, server: Server, testbed: Testbed, number: int) -> Round:
    """Return a round; repeat it while other processes use too much CPU time, at most `ATTEMPTS` times in all."""
    for attempt in range(ATTEMPTS):
        # each attempt has a number of its own: keys that were never used must be new in a repeated round, too
        result = _round(comparison, server, testbed, number * ATTEMPTS + attempt)
        if result.other_cpu < DISTURBED:
            break
    return result


def _round(comparison: Comparison, server: Server, testbed: Testbed, number: int) -> Round:
    options, origin, cores = testbed.options, testbed.origin, testbed.options.cores
    origin_requests_before = origin.requests()
    start, cores_before = time.monotonic(), {core: core_times(core) for core in cores.all}
    server_cpu, all_cpu = server.cpu(), server.cpu() + origin.cpu() + _own_cpu()
    outcome = apply_load(
        comparison.workload,
        server,
        core=cores.load,
        connections=options.connections,
        seconds=options.seconds,
        number=number,
    )
    server_cpu, all_cpu = server.cpu() - server_cpu, server.cpu() + origin.cpu() + _own_cpu() - all_cpu
    elapsed, cores_after = time.monotonic() - start, {core: core_times(core) for core in cores.all}
    busy = sum(cores_after[core].busy - cores_before[core].busy for core in cores.all)
    requests = max(outcome.requests, 1)
    return Round(
        rate=outcome.requests / outcome.seconds,
        p50=outcome.p50,
        p99=outcome.p99,
        cpu=server_cpu / requests,
        core_use=server_cpu / elapsed,
        load_idle=min(cores_after[core].idle - cores_before[core].idle for core in cores.load_and_origin) / elapsed,
        other_cpu=max(busy - all_cpu, 0) / elapsed,
        origin_requests=(origin.requests() - origin_requests_before) / requests,
        errors=outcome.errors,
        requests=requests,
    )


def _own_cpu() -> float:
    """Return the CPU time of this process and of the load generators that have ended, in seconds."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _figures(rounds: list[Round], server: Server) -> Figures:
    medians = {name: statistics.median(_values(rounds, name)) for name in asdict(rounds[0])}
    return Figures(
        **{name: value for name, value in medians.items() if name != "errors"},
        errors=sum(each.errors for each in rounds),
        lowest_rate=min(_values(rounds, "rate")),
        highest_rate=max(_values(rounds, "rate")),
        lowest_p99=min(_values(rounds, "p99")),
        highest_p99=max(_values(rounds, "p99")),
        memory=server.memory(),
        peak_memory=server.memory("VmHWM"),
    )


def _values(rounds: Iterable[Round], name: str) -> list[float]:
    return [getattr(each, name) for each in rounds]


def problems(comparison: Comparison, figures: dict[str, Figures], connections: int) -> list[str]:
    """Return what makes the figures invalid: errors, hits that were no hits, misses that were no misses."""
    found = []
    for name, each in figures.items():
        if each.errors:
            found.append(f"{name} answered {each.errors} requests with an error or not at all")
        # when the load ends, each connection may still wait for a response, which is not counted
        allowed = TOLERANCE + connections / each.requests
        expected = comparison.origin_requests
        if expected is not None and abs(each.origin_requests - expected) > allowed:
            found.append(
                f"{name} sent {each.origin_requests:.3f} requests to the origin per client request, "
                f"expected {expected:g}: hits were misses, or misses were hits"
            )
    return found
