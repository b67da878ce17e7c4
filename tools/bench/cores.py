"""CPU cores: one for the measured server alone, another one for the load generator and the origin."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds in a clock tick, the unit of CPU times in /proc."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The numbers of the cores that each part runs on."""

    server: int
    load: int
    origin: int

    @property
    def load_and_origin(self) -> list[int]:
        """The cores of the load generator and the origin, each once."""
        return sorted({self.load, self.origin})

    @property
    def all(self) -> list[int]:
        """All cores in use, each once."""
        return sorted({self.server, self.load, self.origin})


def assign_cores() -> Cores:
    """Return a core for each part; load and origin share one where there are two. Raises SystemExit for one core."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("bench: expected at least 2 cores, one for the measured server and one for the load")
    return Cores(usable[0], usable[1], usable[min(2, len(usable) - 1)])


def pin_to_core(core: int) -> None:
    """Keep this process on one core, with the highest priority it can get, so that other programs disturb it less.

    Call it in the first process of a session: Linux autogroups divide CPU time among sessions first, so a priority
    inside a session means little.
    """
    os.sched_setaffinity(0, {core})
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        Path("/proc/self/autogroup").write_text("-20")


@dataclass(frozen=True, slots=True)
class CoreTimes:
    """Times of a core since the machine started, in seconds."""

    busy: float
    """User, nice and system time, without interrupts."""
    idle: float


def core_times(core: int) -> CoreTimes:
    """Return the busy and idle time of a core. Raises ValueError if it does not exist."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, idle, iowait = (int(tick) * TICK for tick in ticks[:5])
            return CoreTimes(user + nice + system, idle + iowait)
    raise ValueError(f"no core {core}")
