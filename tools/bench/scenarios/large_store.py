"""A store with a million responses: how long a start takes, and the first lookup of a response."""

from __future__ import annotations

import statistics
import time
import urllib.request
from functools import partial

from tools.bench.comparisons import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.scenarios.prefilled_store import AUTHORITY, fill
from tools.bench.testbed import Testbed
from tools.bench.workload import Workload, apply_load

SMALL, LARGE = 10_000, 1_000_000
STARTS = 5
RATE = 500
"""Requests per second: so few that no request waits for another one."""
SECONDS = 4
MAX_SIZE = {"SECONDHAND_STORE__MAX_SIZE": "20 GiB"}
"""The default of 2 GiB would evict half of a million responses."""


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return the time from start to first response, and how long the first lookup of a response takes."""
    options = testbed.options
    servers = {count: testbed.start_server(OURS, partial(fill, options, count), **MAX_SIZE) for count in (SMALL, LARGE)}
    starts: dict[int, list[float]] = {count: [] for count in servers}
    lookups: dict[int, list[float]] = {count: [] for count in servers}
    for _ in range(STARTS):
        for count, server in servers.items():
            starts[count].append(_time_start(server))
            # no response is requested twice after a start, so that none is in memory already
            workload = Workload("/key/", keys=str(count), authority=AUTHORITY, rate=RATE)
            outcome = apply_load(workload, server, core=options.cores.load, connections=8, seconds=SECONDS)
            lookups[count].append(outcome.p99)
    small, large = (statistics.median(lookups[count]) for count in (SMALL, LARGE))
    return [
        ScenarioResult(OURS, f"start with {SMALL:,} stored responses", f"{statistics.median(starts[SMALL]):.2f} s"),
        at_most(OURS, f"start with {LARGE:,} stored responses", statistics.median(starts[LARGE]), 5, "s"),
        ScenarioResult(OURS, f"p99 of the first lookup among {SMALL:,}", f"{small * 1e3:.2f} ms"),
        ScenarioResult(OURS, f"p99 of the first lookup among {LARGE:,}", f"{large * 1e3:.2f} ms"),
        at_most(OURS, f"ratio of {LARGE:,} to {SMALL:,}", large / small, 2, ""),
    ]


def _time_start(server: Server) -> float:
    """Stop the server, start it again, and return the seconds from start to the first response from the store."""
    server.stop()
    start = time.monotonic()
    server.start()
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{server.settings.port}"})
    with urllib.request.build_opener(proxy).open(f"http://{AUTHORITY}/key/0000001") as response:
        response.read()
    return time.monotonic() - start
