"""The time limits of the streams of one connection, with one timer: most streams end long before their time is over."""

from __future__ import annotations

from math import inf
from typing import Protocol

from addon.origin.deadline import Deadline


class Expiring(Protocol):
    """A stream, as far as its time limit needs it."""

    def expire(self) -> None:
        """Handle the end of the time."""


class StreamDeadlines:
    """Calls `expire` of each stream whose time is over. Times are those of the event loop, in seconds."""

    def __init__(self) -> None:
        self._times: dict[Expiring, float] = {}
        self._timer = Deadline(self._on_timer)
        self._timer_at = inf

    def now(self) -> float:
        """Return the event loop's time."""
        return self._timer.now()

    def set_until(self, stream: Expiring, at: float) -> None:
        """Let a stream's time end then, in place of an earlier setting."""
        self._times[stream] = at
        if at < self._timer_at:
            self._start_timer(at)

    def clear(self, stream: Expiring) -> None:
        """Let a stream have any time."""
        self._times.pop(stream, None)

    def stop(self) -> None:
        """Cancel the timer: the streams have ended."""
        self._timer.stop()
        self._timer_at = inf

    def _start_timer(self, at: float) -> None:
        self._timer_at = at
        self._timer.set_until(at)

    def _on_timer(self) -> None:
        # the timer counts in milliseconds, so what it was started for is due
        now, self._timer_at = max(self.now(), self._timer_at), inf
        for stream in [each for each, at in self._times.items() if at <= now]:
            if self._times.pop(stream, None) is not None:
                stream.expire()
        if self._times:
            self._start_timer(min(self._times.values()))
