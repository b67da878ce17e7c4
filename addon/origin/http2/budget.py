"""A budget, by which a flood of small frames is noticed. Pure: the time is an argument."""

from __future__ import annotations


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
