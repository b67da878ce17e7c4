"""A deadline within a layer of mitmproxy, which can ask to be woken up, but not to be left asleep."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from mitmproxy.proxy import commands

TOLERANCE = 0.01
"""Seconds by which a wake-up may be early."""


class Deadline:
    """The time at which a layer wants to act. At most one wake-up is under way."""

    def __init__(self) -> None:
        self._due = inf
        self._wakes_at = inf

    def set(self, due: float, now: float) -> Iterator[commands.Command]:
        """Be due at a time of the same clock as `now`, in seconds; infinite for never."""
        self._due = due
        if due < self._wakes_at:
            self._wakes_at = due
            yield commands.RequestWakeup(max(due - now, 0.0))

    def woken(self, now: float) -> bool:
        """Note that the layer was woken up. Return whether it is due; if not, call `set` again."""
        if now >= self._wakes_at - TOLERANCE:
            self._wakes_at = inf
        return now >= self._due - TOLERANCE
