"""Which core works for whom: the measured server has one for itself, the load and the origin share another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of cores."""

    server: int
    load: int
    origin: int


def cores() -> Cores:
    """Return who gets which core. Raises SystemExit where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("bench: expected at least 2 cores, one for the measured server and one for the load")
    return Cores(usable[0], usable[1], usable[min(2, len(usable) - 1)])


def idle_seconds(core: int) -> float:
    """Return how long a core has had nothing to do since the machine started."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            return (int(ticks[3]) + int(ticks[4])) / os.sysconf("SC_CLK_TCK")
    raise ValueError(f"no core {core}")
