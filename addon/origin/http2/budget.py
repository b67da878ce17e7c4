"""Budgets, by which floods of small frames are noticed. Pure: the time is an argument."""

from __future__ import annotations

from addon.origin.http2.faults import over_budget
from cache.policy.reasons import Disconnected


class Budget:
    """A token bucket: so many events at once, and so many a second on average."""

    __slots__ = ("_left", "_per_second", "_size", "_updated")

    def __init__(self, size: int, per_second: float) -> None:
        self._size = self._left = float(size)
        self._per_second = per_second
        self._updated: float | None = None

    def spend(self, now: float) -> bool:
        """Count an event at `now`, in seconds; return whether the budget allows it."""
        if self._updated is not None:
            self._left = min(self._size, self._left + (now - self._updated) * self._per_second)
        self._updated = now
        self._left -= 1
        return self._left >= 0


class FrameBudget:
    """The budget of one connection for frames that carry neither a message nor content."""

    __slots__ = ("_control_frames", "_pings", "_window_updates")

    def __init__(self, frames: int, per_second: float) -> None:
        """Allow so many frames at once, and so many a second on average."""
        self._control_frames = Budget(frames, per_second)
        self._window_updates = 0
        """WINDOW_UPDATE frames that may follow from the content that was sent."""
        self._pings = 0
        """PING frames that may follow from it: peers measure the bandwidth by them."""

    def count_control_frame(self, now: float) -> None:
        """Count a frame that carries neither a message nor content. Raises ConnectionFault for too many."""
        if not self._control_frames.spend(now):
            raise over_budget(Disconnected.HTTP2_CONTROL_FRAMES, "The peer sends too many control frames.")

    def content_sent(self, data_frames: int = 1) -> None:
        """Allow what may follow from DATA: a PING, and a WINDOW_UPDATE each for the stream and the connection."""
        self._window_updates += 2 * data_frames
        self._pings += data_frames

    def count_window_update(self, now: float) -> None:
        """Count a WINDOW_UPDATE frame. Raises ConnectionFault for too many that follow from nothing."""
        if self._window_updates:
            self._window_updates -= 1
        else:
            self.count_control_frame(now)

    def count_ping(self, now: float) -> None:
        """Count a PING frame. Raises ConnectionFault for too many that follow from nothing."""
        if self._pings:
            self._pings -= 1
        else:
            self.count_control_frame(now)
