"""Counts of the fast path, added to the counters only before those are read: a lock for each would be slow."""

from __future__ import annotations

from addon.runtime.counters import Counters


class BatchedCounters:
    """Collects counts of one event loop."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._pending: dict[tuple[str, ...], int] = {}
        counters.add_source(self.flush)

    def count(self, names: tuple[str, ...], amount: int = 1) -> None:
        """Add to each of these counters, later."""
        self._pending[names] = self._pending.get(names, 0) + amount

    def flush(self) -> None:
        """Add what was collected to the counters."""
        pending, self._pending = self._pending, {}
        for names, amount in pending.items():
            self._counters.count_each(names, amount)
