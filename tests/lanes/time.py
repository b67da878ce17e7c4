"""Time that passes only when a conversation says so."""

from __future__ import annotations

from addon.runtime.clock import Clock

BEGINNING = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT: when every conversation begins."""


class Time:
    """A wall clock that can be set, a count of seconds that cannot, and the proxy's clock over both."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin again."""
        self._wall = BEGINNING
        self._elapsed = 0.0
        self._clock = Clock(lambda: self._wall, lambda: self._elapsed)

    def now(self) -> float:
        """Return what the proxy takes for now."""
        return self._clock()

    def pass_(self, seconds: float) -> None:
        self._wall += seconds
        self._elapsed += seconds

    def set_back(self, seconds: float) -> None:
        self._wall -= seconds
