"""A time limit that can be moved with every piece of data, without a new timer each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_RESOLUTION = 0.002
"""Seconds: event loops count in milliseconds."""


class Deadline:
    """Calls `on_expired` when its time is over.

    It uses at most one timer of the event loop. A timer that fires before the deadline is started again.
    """

    __slots__ = ("_deadline", "_loop", "_on_expired", "_timer", "_timer_at")

    def __init__(self, on_expired: Callable[[], None]) -> None:
        self._on_expired = on_expired
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def now(self) -> float:
        """Return the event loop's time, in seconds."""
        return self._loop.time()

    def set(self, seconds: float) -> None:
        """Expire this many seconds from now. A time that was set before is replaced."""
        self.set_until(self._loop.time() + seconds)

    def set_until(self, at: float) -> None:
        """Expire at this time of the event loop. A time that was set before is replaced."""
        self._deadline = at
        if self._timer is None or at < self._timer_at:
            self._start_timer(at)

    def clear(self) -> None:
        """Do not expire until `set` is called again."""
        self._deadline = None

    def stop(self) -> None:
        """Never expire again, and forget whom to call: that refers to this mostly."""
        self._deadline = None
        self._on_expired = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(at, self._on_timer), at

    def _on_timer(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._deadline > self._loop.time() + _RESOLUTION:
            self._start_timer(self._deadline)
        else:
            self._deadline = None
            self._on_expired()


def _nothing() -> None:
    pass
