"""A thousand clients ask for one URL that nobody has, and whose answer takes the origin a second."""

from __future__ import annotations

import statistics
from dataclasses import replace

from tools.bench.finding import Finding, at_most
from tools.bench.lines import OURS
from tools.bench.peers.peer import Server
from tools.bench.stage import Stage
from tools.bench.work import Work, load_of, run

SERVERS = (OURS, "squid", "nginx", "varnish")

CLIENTS = 1000
ROUNDS = 3


def measure(stage: Stage) -> list[Finding]:
    """Return how often the origin was asked, and when the last client had its answer."""
    names = [name for name in SERVERS if stage.bench.wants(name)]
    servers = [stage.start(name) for name in names]
    taken: dict[str, list[tuple[int, float, float]]] = {name: [] for name in names}
    for number in range(ROUNDS):
        for server in servers:
            taken[server.peer.name].append(_herd(stage, server, f"/slow/{server.peer.name}-{number}"))
    found = []
    for name, rounds in taken.items():
        fetches, median, last = (statistics.median(values) for values in zip(*rounds, strict=True))
        found += [
            at_most(name, f"fetches at the origin for {CLIENTS:,} clients", fetches, 1, ""),
            Finding(name, "until half of them were served", f"{median:.2f} s"),
            Finding(name, "until all of them were served", f"{last:.2f} s"),
        ]
    return found


def _herd(stage: Stage, server: Server, path: str) -> tuple[int, float, float]:
    """Fetches, and seconds until half and all were served."""
    before = len(stage.origin.statuses("slow"))
    work = load_of(Work(path, size="100k"), server, CLIENTS, 0)
    came = run(replace(work, once=True), stage.bench.cores.load)
    return len(stage.origin.statuses("slow")) - before, came["p50"], came["seconds"]
