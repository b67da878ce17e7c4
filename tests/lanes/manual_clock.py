"""A clock that stands still until a test moves it."""

from __future__ import annotations

from addon.runtime.clock import Clock

START = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT: the time at which every conversation begins."""


class ManualClock(Clock):
    """The proxy's clock over a manual wall clock, which can be set, and a monotonic clock, which cannot."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Set the clock to START."""
        self._wall_time = START
        self._elapsed_time = 0.0
        super().__init__(lambda: self._wall_time, lambda: self._elapsed_time, boot=1)

    def now(self) -> float:
        """Return the proxy's current time, in seconds since the epoch."""
        return self()

    def advance(self, seconds: float) -> None:
        self._wall_time += seconds
        self._elapsed_time += seconds

    def set(self, seconds: float) -> None:
        """Set the wall clock forward, or back if `seconds` is negative. The monotonic clock does not change."""
        self._wall_time += seconds
