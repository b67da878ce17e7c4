"""A wall clock that never runs backwards (ledger FRESH-15)."""

from __future__ import annotations

import time
from collections.abc import Callable

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed_seconds() -> float:
    """Return the seconds of a monotonic clock. It includes the time of suspend if the system supports that."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


class Clock:
    """Returns seconds since the epoch. It follows the wall clock, except when the wall clock is set back.

    Then time continues from its last value. Otherwise a clock that is set back by an hour would keep every stored
    response fresh an hour too long.
    """

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed_seconds) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._now, self._elapsed_at_now = wall(), elapsed()

    def __call__(self) -> float:
        """Return the current time in seconds since the epoch."""
        elapsed = self._elapsed()
        passed = max(0.0, elapsed - self._elapsed_at_now)
        self._now, self._elapsed_at_now = max(self._wall(), self._now + passed), elapsed
        return self._now
