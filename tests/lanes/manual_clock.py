"""A clock that stands still until a test moves it."""

from __future__ import annotations

from addon.runtime.clock import Clock

START = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT: the time at which every conversation begins."""


class ManualClock:
    """The proxy's clock over a manual wall clock, which can be set back, and a monotonic clock, which cannot."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Set the clock to START."""
        self._wall = START
        self._elapsed = 0.0
        self._clock = Clock(lambda: self._wall, lambda: self._elapsed)

    def now(self) -> float:
        """Return the proxy's current time, in seconds since the epoch."""
        return self._clock()

    def advance(self, seconds: float) -> None:
        self._wall += seconds
        self._elapsed += seconds

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back. The monotonic clock does not change."""
        self._wall -= seconds
