"""The pause before a worker that has died is replaced: longer each time if workers die soon after their start."""

from __future__ import annotations

LIVED_LONG = 10.0
"""Seconds after which the death of a worker says nothing about the next one."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds. A worker that had lived long is replaced at once."""


class Backoff:
    """The pauses, one after another."""

    def __init__(self) -> None:
        self._pause = 0.0

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a worker has died that had lived for this number of seconds."""
        if lived >= LIVED_LONG:
            self._pause = 0.0
        pause, self._pause = self._pause, min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        return pause
