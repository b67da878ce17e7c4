"""Counts of the fast path, added to the counters only before those are read: a lock for each would be slow."""

from __future__ import annotations

from addon.runtime.counters import CounterName, Counters


class Tally:
    """An amount that will be added to some counters."""

    __slots__ = ("amount",)

    def __init__(self) -> None:
        self.amount = 0


class BatchedCounters:
    """The tallies of one event loop."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._tallies: dict[tuple[CounterName, ...], Tally] = {}
        counters.add_source(self.flush)

    def tally(self, *names: CounterName) -> Tally:
        """Return the tally for these counters, the same one each time. Whoever counts adds to its amount."""
        return self._tallies.setdefault(names, Tally())

    def counted_as(self, host: str) -> str:
        """Return the name under which a host is counted, so that there are not many tallies."""
        return self._counters.counted_as(host)

    def flush(self) -> None:
        """Add the amounts to the counters, and start again from zero."""
        for names, tally in self._tallies.items():
            amount, tally.amount = tally.amount, 0
            if amount:
                self._counters.count_each(names, amount)
