"""The wall clock, made never to run backwards (ledger FRESH-15)."""

from __future__ import annotations

import time
from collections.abc import Callable

_COUNTING_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed_seconds() -> float:
    """Return seconds that nobody can set, time asleep included where the system counts it."""
    return time.monotonic() if _COUNTING_SLEEP is None else time.clock_gettime(_COUNTING_SLEEP)


class Clock:
    """Seconds since the epoch. Follows the wall clock forwards; where that is set back, time goes on from where it was.

    Otherwise a clock set back by an hour would keep every stored response fresh an hour too long.
    """

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed_seconds) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._now, self._at = wall(), elapsed()

    def __call__(self) -> float:
        """Return now."""
        at = self._elapsed()
        self._now, self._at = max(self._wall(), self._now + max(0.0, at - self._at)), at
        return self._now
