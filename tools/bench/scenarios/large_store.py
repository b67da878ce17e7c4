"""Starting with a million stored responses, and finding one among them."""

from __future__ import annotations

import statistics
import time
import urllib.request
from functools import partial

from tools.bench.finding import Finding, at_most
from tools.bench.lines import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenarios.filled import AUTHORITY, fill
from tools.bench.stage import Stage
from tools.bench.work import Work, load

SMALL, LARGE = 10_000, 1_000_000
STARTS = 5
RATE = 500
"""Requests a second: so few that none waits for another."""
SECONDS = 4
ROOM = {"SECONDHAND_STORE__MAX_SIZE": "20 GiB"}
"""By default a store has 2 GiB, and would throw half of a million away."""


def measure(stage: Stage) -> list[Finding]:
    """Return the time from start to first answer, and how long the first lookup of a response takes."""
    servers = {count: stage.start(OURS, partial(fill, stage.bench, count), **ROOM) for count in (SMALL, LARGE)}
    starts: dict[int, list[float]] = {count: [] for count in servers}
    lookups: dict[int, list[float]] = {count: [] for count in servers}
    for _ in range(STARTS):
        for count, server in servers.items():
            starts[count].append(_start(server))
            # each response at most once a start, so that none is in memory already
            work = Work("/key/", keys=str(count), authority=AUTHORITY, rate=RATE)
            lookups[count].append(load(work, server, stage.bench.cores.load, 8, SECONDS).p99)
    small, large = (statistics.median(lookups[count]) for count in (SMALL, LARGE))
    return [
        Finding(OURS, f"start with {SMALL:,} stored responses", f"{statistics.median(starts[SMALL]):.2f} s"),
        at_most(OURS, f"start with {LARGE:,} stored responses", statistics.median(starts[LARGE]), 5, "s"),
        Finding(OURS, f"p99 of the first lookup among {SMALL:,}", f"{small * 1e3:.2f} ms"),
        Finding(OURS, f"p99 of the first lookup among {LARGE:,}", f"{large * 1e3:.2f} ms"),
        at_most(OURS, "ratio", large / small, 2, ""),
    ]


def _start(server: Server) -> float:
    """Seconds from nothing to an answer out of the store."""
    server.stop()
    began = time.monotonic()
    server.start()
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{server.place.port}"})
    with urllib.request.build_opener(proxy).open(f"http://{AUTHORITY}/key/0000001") as answer:
        answer.read()
    return time.monotonic() - began
