"""Rounds: every server of a line in turn, again and again, so that what disturbs the machine disturbs them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from tests.bench.cores import Cores, idle_seconds
from tests.bench.lines import Line
from tests.bench.origin import Origin
from tests.bench.peers.peer import Server
from tests.bench.work import Outcome, load

WARM_UP = 1
"""Seconds; wrk knows whole ones only."""

TOLERANCE = 0.01
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
    forwarded: float
    """Requests at the origin for each of a client."""
    errors: int


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
    forwarded: float
    errors: int
    memory: int
    peak_memory: int


def measure(
    line: Line, servers: Sequence[Server], origin: Origin, cores: Cores, rounds: int, seconds: int, connections: int
) -> dict[str, Figures]:
    """Return figures by server."""
    taken: dict[str, list[Round]] = {server.peer.name: [] for server in servers}
    for server in servers:
        load(line.work, server, cores.load, connections, WARM_UP, number=0)
    for number in range(1, rounds + 1):
        for server in servers:
            taken[server.peer.name].append(_round(line, server, origin, cores, number, seconds, connections))
    return {server.peer.name: _figures(taken[server.peer.name], server) for server in servers}


def _round(
    line: Line, server: Server, origin: Origin, cores: Cores, number: int, seconds: int, connections: int
) -> Round:
    others = sorted({cores.load, cores.origin})
    asked, computed, started = origin.requests(), server.cpu(), time.monotonic()
    idle = [idle_seconds(core) for core in others]
    outcome = load(line.work, server, cores.load, connections, seconds, number)
    elapsed, used = time.monotonic() - started, server.cpu() - computed
    left = min((idle_seconds(core) - before) / elapsed for core, before in zip(others, idle, strict=True))
    return _judged(outcome, used, elapsed, left, origin.requests() - asked)


def _judged(outcome: Outcome, used: float, elapsed: float, left: float, asked: int) -> Round:
    requests = max(outcome.requests, 1)
    return Round(
        rate=outcome.requests / outcome.seconds,
        p50=outcome.p50,
        p99=outcome.p99,
        cpu=used / requests,
        busy=used / elapsed,
        load_idle=max(left, 0),
        forwarded=asked / requests,
        errors=outcome.errors,
    )


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


def complaints(line: Line, figures: dict[str, Figures]) -> list[str]:
    """Return what makes figures worthless: errors, hits that were none, misses that were none."""
    found = []
    for name, one in figures.items():
        if one.errors:
            found.append(f"{name} answered {one.errors} requests with an error or not at all")
        if line.forwarded is not None and abs(one.forwarded - line.forwarded) > TOLERANCE:
            found.append(
                f"{name} asked the origin {one.forwarded:.3f} times a request, expected {line.forwarded:g}: "
                "this is not what the line says it is"
            )
    return found
