"""Writes docs/performance.md from collected results: the same results give the same text."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.bench.comparisons import COMPARISONS, Comparison
from tools.bench.printing import HEAD, ratios, row, target_of
from tools.bench.results import Results
from tools.bench.server_settings import HERE

FILE = HERE.parent.parent / "docs" / "performance.md"

TEXT = """\
# Performance

secondhand compared with Squid, nginx, Varnish and mitmdump. Each server does the same work for the same clients on the
same machine. `make bench` measures everything and writes this page.
`make bench ARGS="hits-1k --rounds 3 --seconds 2"` measures one comparison.

Measured on {day}: {machine}. {versions}.

## Summary

{summary}

## Figures

{tables}

## Scenarios

{scenarios}

## Missed targets

{profile}
## Method

- Each server is one process with one worker. The server and the processes that it starts (helpers, log writers) have a
  core of their own. The load generator and the origin share another core, or have one core each on a machine with three
  or more. All of them have a higher priority than the other processes of the machine.
- In each round every server is measured once, one after the other: {rounds} rounds of {seconds} s for each server. A
  figure is the median of its rounds; "range" goes from the lowest to the highest. A round is repeated, at most twice,
  if other processes used more than a tenth of a core in it ("other CPU"). The kernel's own writing to disk is counted
  there.
- 32 connections, which all servers keep alive; no pipelining. The load comes from wrk, with one thread. Two kinds of
  load that wrk cannot make, tunnels with TLS inside and a fixed rate, come from `tools/bench/generator.py`, in the same
  way for each server.
- secondhand, Squid and mitmdump run as forward proxies: the request line has the whole URL. nginx and Varnish are not
  forward proxies: they get the requests that an origin would get.
- The origin is another nginx, whose files are in the page cache. It counts its requests: a comparison fails if hits
  reached the origin, or if misses did not.
- "core used" is the share of its core that a server used. "load idle" is the idle share of the core of the load
  generator and the origin. If that core was never idle and the server did not use all of its own core, the load
  generator was the limit: then compare CPU/request, not requests/s. With a fixed rate, the generator always keeps its
  core busy.
- Most targets compare the CPU time per request: it varies less than requests/s on a machine that does other work, and
  load generator or origin cannot be its limit.
- secondhand is measured on two builds of Python where both are at hand (`--plain`): one with profile-guided
  optimisation (PGO), as Linux distributions ship it, and one without, as pyenv makes it by default.
- "secondhand-compiled" is the wheel whose most used modules are compiled (`make compiled`), on the first Python.
- "secondhand-workers" is secondhand with several worker processes (`--workers`), all on the core that a server has:
  compare its CPU/request, which counts workers and supervisor, with that of one process.
- Each measurement has a new file system (ext4), since one that has just lost many files is slow for a while. Root is
  needed to mount it.
- CPU/request is the user and system time of all processes of a server, from /proc. RSS and peak RSS (VmHWM) are sums
  over these processes: a page that processes share is counted for each of them. The page cache is not counted.
- The configurations are in `tools/bench/peers`. They are written for production: access logs are on, connections to the
  origin are pooled, Squid and Varnish keep their copies in memory, nginx and secondhand in files. secondhand runs with
  its default settings, except where a scenario needs a larger store than the default.
- The p99 is compared at one fixed rate, far below the maximum of each server, and each latency starts when the request
  was due. At full load a latency shows how many connections wait, and not how long a response takes.
"""


def write(results: Results) -> None:
    """Write the page."""
    FILE.write_text(text(results))


def text(results: Results) -> str:
    """Return the page."""
    return TEXT.format(
        day=results.day,
        machine=results.machine,
        rounds=results.rounds,
        seconds=results.seconds,
        versions=", ".join(f"{name} {version}" for name, version in sorted(results.versions.items())),
        summary=_table(("comparison", "ratio"), _ratios(results)),
        tables="\n\n".join(_section(each, results) for each in COMPARISONS if each.name in results.figures),
        profile=(HERE / "profile.md").read_text(),
        scenarios=_table(("scenario", "server", "measured", "result", "target"), _scenario_rows(results)),
    )


def machine() -> str:
    """Return a short description of this machine: cores, memory, operating system."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    parts = [
        f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}",
        f"{int(memory[1]) / (1 << 20):.0f} GiB of memory" if memory else "",
        f"{system}, Linux {platform.release().partition('-')[0]}",
    ]
    return ", ".join(part for part in parts if part)


def _ratios(results: Results) -> Iterable[tuple[str, ...]]:
    for comparison in COMPARISONS:
        for shown in ratios(comparison, results.figures.get(comparison.name, {})):
            yield comparison.title, shown


def _section(comparison: Comparison, results: Results) -> str:
    rows = [row(name, figures) for name, figures in results.figures[comparison.name].items()]
    parts = (f"### {comparison.name}: {comparison.title}", comparison.note, _table(HEAD, rows))
    return "\n\n".join(part for part in parts if part)


def _scenario_rows(results: Results) -> Iterable[tuple[str, ...]]:
    for name, found in results.scenarios.items():
        for each in found:
            yield name, each.server, each.name, each.value, target_of(each)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])
