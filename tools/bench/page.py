"""docs/performance.md, made of collected figures: the same figures give the same text."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.bench.lines import LINES, Line
from tools.bench.place import HERE
from tools.bench.printing import HEAD, judged, ratio, row
from tools.bench.results import Results

FILE = HERE.parent.parent / "docs" / "performance.md"

TEXT = """\
# Performance

secondhand beside Squid, nginx, Varnish and mitmdump, each doing the same work for the same clients on the same machine.
`make bench` measures it all and writes this page. `make bench ARGS="hits-1k --rounds 3 --seconds 2"` measures one line.

Measured on {day}: {machine}. {versions}.

## In short

{short}

## Figures

{tables}

## Scenarios

{scenarios}

## What is missed

{profile}
## How it is measured

- Each server is one process with one worker. It and what it starts (helpers, log writers) have one core for
  themselves; the load and the origin share another, or have one each where there are three. All of them go before
  whatever else runs on the machine.
- Rounds go from server to server, {rounds} of {seconds} seconds each; a figure is the median of its rounds, the spread
  is from the lowest to the highest. A round in which others computed for more than a tenth of a core ("strangers";
  the kernel's own writing to disk is among them) is taken again, twice at most.
- 32 connections, kept alive by all; no pipelining. wrk makes the load, with one thread. What wrk cannot do, tunnels
  with TLS inside and a fixed rate, `tools/bench/generator.py` does, in the same way for each server.
- secondhand, Squid and mitmdump are asked as forward proxies, with the whole URL in the request line; nginx and
  Varnish are no forward proxies and are asked as the origin itself would be.
- The origin is another nginx, with files in the page cache. It counts its requests: a line fails if hits were asked
  for at the origin, or if misses were not.
- "core" is how much of its core a server used, "load idle" how much of the load's and the origin's was left over.
  Where nothing was left and the server did not use all of its own, the load held it back: then CPU/request tells
  more than requests/s. A fixed rate keeps the generator's core busy by design.
- CPU/request is user and system time of all of a server's processes, from /proc. RSS and its peak (VmHWM) are their
  sum; pages that processes share are counted for each, and files in the page cache for none.
- The configurations are in `tools/bench/peers`, for production: access logs on, pooled connections to the origin,
  copies in memory for Squid and Varnish, in files for nginx and secondhand. secondhand runs at its defaults, except
  where a scenario needs more room than a store has by default.
- The p99 is compared at one rate for all, far below what they can do, each request counted from the moment it was
  due: at full load, a latency says how many connections wait and not how long an answer takes.
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
        short=_table(("work", "ratio"), _ratios(results)),
        tables="\n\n".join(_line(line, results) for line in LINES if line.name in results.figures),
        profile=(HERE / "profile.md").read_text(),
        scenarios=_table(("scenario", "who", "what", "came to", "aim"), _findings(results)),
    )


def machine() -> str:
    """Return what this machine is, in a few words."""
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
    for line in LINES:
        for aim in line.aims:
            if line.name in results.figures and (said := ratio(aim, results.figures[line.name])):
                yield line.says, said


def _line(line: Line, results: Results) -> str:
    rows = [row(name, one) for name, one in results.figures[line.name].items()]
    return "\n\n".join(part for part in (f"### {line.name}: {line.says}", line.note, _table(HEAD, rows)) if part)


def _findings(results: Results) -> Iterable[tuple[str, ...]]:
    for name, found in results.findings.items():
        for one in found:
            yield name, one.who, one.what, one.came, judged(one).strip(" ()").replace("):", ":")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])
