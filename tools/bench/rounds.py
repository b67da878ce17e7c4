"""Rounds: every server of a line in turn, again and again, so that what disturbs the machine disturbs them all."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tools.bench.cores import times
from tools.bench.lines import Line
from tools.bench.peers.peer import Server
from tools.bench.stage import Stage
from tools.bench.work import load

WARM_UP = 1
"""Seconds; wrk knows whole ones only."""

DISTURBED = 0.1
"""Of a core, taken by strangers: such a round is taken again."""

ATTEMPTS = 3

TOLERANCE = 0.02
"""Of requests: how many may have gone to the origin that should not have, or not gone that should."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one server did in one round."""

    rate: float
    """Requests a second."""
    p50: float
    p99: float
    """Seconds."""
    cpu: float
    """Seconds of computing for a request."""
    busy: float
    """Share of its core that the server used."""
    load_idle: float
    """Share of the busiest core of load and origin that was left over."""
    strangers: float
    """Share of one core that processes took which are no part of this."""
    forwarded: float
    """Requests at the origin for each of a client."""
    errors: int
    requests: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The median round of a server, figure by figure."""

    rate: float
    lowest_rate: float
    highest_rate: float
    p50: float
    p99: float
    lowest_p99: float
    highest_p99: float
    cpu: float
    busy: float
    load_idle: float
    strangers: float
    forwarded: float
    errors: int
    requests: float
    memory: int
    peak_memory: int


def measure(line: Line, stage: Stage) -> dict[str, Figures]:
    """Return figures by server."""
    servers = [stage.start(name) for name in line.servers if stage.bench.wants(name)]
    taken: dict[str, list[Round]] = {server.peer.name: [] for server in servers}
    for server in servers:
        load(line.work, server, stage.bench.cores.load, stage.bench.connections, WARM_UP, number=0)
    for number in range(1, stage.bench.rounds + 1):
        for server in servers:
            taken[server.peer.name].append(_undisturbed(line, server, stage, number))
    return {server.peer.name: _figures(taken[server.peer.name], server) for server in servers}


def _undisturbed(line: Line, server: Server, stage: Stage, number: int) -> Round:
    """A round, taken again while strangers compute, but not for ever."""
    for attempt in range(ATTEMPTS):
        # keys that were never used stay so when a round is taken again
        one = _round(line, server, stage, number * ATTEMPTS + attempt)
        if one.strangers < DISTURBED:
            break
    return one


def _round(line: Line, server: Server, stage: Stage, number: int) -> Round:
    bench, origin, cores = stage.bench, stage.origin, stage.bench.cores
    asked = origin.requests()
    started, before = time.monotonic(), {core: times(core) for core in cores.every}
    computed, ours = server.cpu(), server.cpu() + origin.cpu() + _own_cpu()
    outcome = load(line.work, server, cores.load, bench.connections, bench.seconds, number)
    used, ours = server.cpu() - computed, server.cpu() + origin.cpu() + _own_cpu() - ours
    elapsed, after = time.monotonic() - started, {core: times(core) for core in cores.every}
    everybody = sum(after[core].computing - before[core].computing for core in cores.every)
    requests = max(outcome.requests, 1)
    return Round(
        rate=outcome.requests / outcome.seconds,
        p50=outcome.p50,
        p99=outcome.p99,
        cpu=used / requests,
        busy=used / elapsed,
        load_idle=min(after[core].idle - before[core].idle for core in cores.others) / elapsed,
        strangers=max(everybody - ours, 0) / elapsed,
        forwarded=(origin.requests() - asked) / requests,
        errors=outcome.errors,
        requests=requests,
    )


def _own_cpu() -> float:
    """What this process and the load have computed."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _figures(rounds: list[Round], server: Server) -> Figures:
    middle = {name: statistics.median(_each(rounds, name)) for name in asdict(rounds[0])}
    return Figures(
        **{name: value for name, value in middle.items() if name != "errors"},
        errors=sum(one.errors for one in rounds),
        lowest_rate=min(_each(rounds, "rate")),
        highest_rate=max(_each(rounds, "rate")),
        lowest_p99=min(_each(rounds, "p99")),
        highest_p99=max(_each(rounds, "p99")),
        memory=server.memory(),
        peak_memory=server.memory("VmHWM"),
    )


def _each(rounds: Iterable[Round], name: str) -> list[float]:
    return [getattr(one, name) for one in rounds]


def complaints(line: Line, figures: dict[str, Figures], connections: int) -> list[str]:
    """Return what makes figures worthless: errors, hits that were none, misses that were none."""
    found = []
    for name, one in figures.items():
        if one.errors:
            found.append(f"{name} answered {one.errors} requests with an error or not at all")
        # when the load stops, each connection may be waiting for an answer that it does not count
        allowed = TOLERANCE + connections / one.requests
        if line.forwarded is not None and abs(one.forwarded - line.forwarded) > allowed:
            found.append(
                f"{name} asked the origin {one.forwarded:.3f} times a request, expected {line.forwarded:g}: "
                "this is not what the line says it is"
            )
    return found
