"""Which core works for whom: the measured server has one for itself, the load and the origin share another."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of cores."""

    server: int
    load: int
    origin: int

    @property
    def others(self) -> list[int]:
        """Those of load and origin."""
        return sorted({self.load, self.origin})

    @property
    def every(self) -> list[int]:
        """All of them."""
        return sorted({self.server, self.load, self.origin})


def cores() -> Cores:
    """Return who gets which core. Raises SystemExit where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("bench: expected at least 2 cores, one for the measured server and one for the load")
    return Cores(usable[0], usable[1], usable[min(2, len(usable) - 1)])


def settle(core: int) -> None:
    """Keep this process on one core, before all others there if it may: what else runs must not be measured.

    For the first process of a session: where Linux shares out its cores by session, a priority within one means little.
    """
    os.sched_setaffinity(0, {core})
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        Path("/proc/self/autogroup").write_text("-20")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds since the machine started."""

    computing: float
    """For processes; interrupts are not counted."""
    idle: float


def times(core: int) -> Times:
    """Return what a core has done."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, idle, waiting = (int(tick) * TICK for tick in ticks[:5])
            return Times(user + nice + system, idle + waiting)
    raise ValueError(f"no core {core}")
