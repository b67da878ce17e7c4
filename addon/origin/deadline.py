"""A time limit that is moved with every octet and costs no timer each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_RESOLUTION = 0.002
"""Seconds: event loops count in milliseconds."""


class Deadline:
    """Calls `expired` once its time is up. One timer of the event loop runs behind it and looks again when it fires."""

    __slots__ = ("_at", "_expired", "_loop", "_timer", "_timer_at")

    def __init__(self, expired: Callable[[], None]) -> None:
        self._expired = expired
        self._loop = asyncio.get_running_loop()
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def set(self, seconds: float) -> None:
        """Expire after so many seconds, counted from now, and no earlier."""
        self._at = at = self._loop.time() + seconds
        if self._timer is None or at < self._timer_at:
            self._run_until(at)

    def clear(self) -> None:
        """Do not expire, until set again."""
        self._at = None

    def stop(self) -> None:
        """Let go of the timer."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run_until(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(at, self._look), at

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time() + _RESOLUTION:
            self._run_until(self._at)
        else:
            self._at = None
            self._expired()
