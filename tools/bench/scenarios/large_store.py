"""Stores with a million and ten million responses: start, memory, and the first lookup of a response."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from functools import partial

from tools.bench.comparisons import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.scenarios.prefilled_store import AUTHORITY, fill, size_of_body
from tools.bench.testbed import RunOptions, Testbed
from tools.bench.workload import Workload, apply_load

COUNTS = (10_000, 1_000_000, 9_999_999)
"""The last one is the largest for URLs of seven digits."""
BYTES_OF_RESPONSE = 1300
"""On the disk; those of the smaller stores take more, and do not count."""
SPARED = 8 << 30
"""Bytes of the disk that are left free."""
STARTS = 5
RATE = 500
"""Requests per second: so few that no request waits for another one."""
SECONDS = 4
MAX_SIZE = {"SECONDHAND_STORE__MAX_SIZE": "20 GiB"}
"""The default of 2 GiB would evict most of the responses."""


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return how long a start takes, and the first lookup of a response; and how much memory a large store takes."""
    options = testbed.options
    counts = [count for count in COUNTS if _has_room(options, count)]
    servers = {count: testbed.start_server(OURS, partial(fill, options, count), **MAX_SIZE) for count in counts}
    starts: dict[int, list[float]] = {count: [] for count in servers}
    lookups: dict[int, list[float]] = {count: [] for count in servers}
    memory: dict[int, int] = {}
    for _ in range(STARTS):
        for count, server in servers.items():
            starts[count].append(_time_start(server))
            # no response is requested twice after a start, so that none is in memory already
            workload = Workload("/key/", size=size_of_body(count), keys=str(count), authority=AUTHORITY, rate=RATE)
            outcome = apply_load(workload, server, core=options.cores.load, connections=8, seconds=SECONDS)
            lookups[count].append(outcome.p99)
            memory[count] = server.memory()
    return [result for count in counts for result in _results(count, starts[count], lookups, memory)]


def _has_room(options: RunOptions, count: int) -> bool:
    """Return whether the disk has room for a store of so many responses."""
    free = shutil.disk_usage(options.parent or tempfile.gettempdir()).free
    if free - count * BYTES_OF_RESPONSE >= SPARED:
        return True
    print(f"large-store: not measured with {count:,} responses, since only {free >> 30} GiB of the disk are free")
    return False


def _results(
    count: int, starts: list[float], lookups: Mapping[int, list[float]], memory: Mapping[int, int]
) -> list[ScenarioResult]:
    """Return the results for one size, compared with the smallest store."""
    smallest = min(lookups)
    lookup = statistics.median(lookups[count])
    results = [
        at_most(OURS, f"start with {count:,} stored responses", statistics.median(starts), 5, "s"),
        ScenarioResult(OURS, f"p99 of the first lookup among {count:,}", f"{lookup * 1e3:.2f} ms"),
    ]
    if count != smallest:
        more_memory = (memory[count] - memory[smallest]) / (1 << 20)
        results += [
            at_most(OURS, f"ratio of {count:,} to {smallest:,}", lookup / statistics.median(lookups[smallest]), 2, ""),
            at_most(OURS, f"memory with {count:,}, beyond that with {smallest:,}", more_memory, 200, "MiB"),
        ]
    return results


def _time_start(server: Server) -> float:
    """Stop the server, start it again, and return the seconds from start to the first response from the store."""
    server.stop()
    start = time.monotonic()
    server.start()
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{server.settings.port}"})
    with urllib.request.build_opener(proxy).open(f"http://{AUTHORITY}/key/0000001") as response:
        response.read()
    return time.monotonic() - start
