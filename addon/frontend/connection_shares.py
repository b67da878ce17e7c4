"""The connections of each worker, counted in memory that all share: one that has too many leaves new ones to others.

The kernel gives a new connection to whichever worker asks first, which may be the same one 32 times in a row.
"""

from __future__ import annotations

import mmap

PLACES = 128
"""Workers that are counted, with those that they replace. If there are more, two of them share a place."""

NOBODY = 2**31 - 1
"""The count of a worker that accepts no connections."""

SLACK = 4
"""Connections that a worker may have beyond half as many again as the worker with the fewest."""

_SIZE = 4


class ConnectionShares:
    """The counts of all workers. Processes that are forked share them."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, PLACES * _SIZE)).cast("i")
        for place in range(PLACES):
            self._counts[place] = NOBODY

    def of(self, number: int, generation: int) -> ConnectionShare:
        """Return the share of a worker. The workers of two generations in a row are counted at the same time."""
        return ConnectionShare(self._counts, (2 * number + generation % 2) % PLACES)


class ConnectionShare:
    """The count of one worker, and what it says compared with those of the others."""

    __slots__ = ("_counts", "_place")

    def __init__(self, counts: memoryview, place: int) -> None:
        self._counts = counts
        self._place = place

    def publish(self, count: int) -> None:
        """Tell the others how many connections this worker has."""
        self._counts[self._place] = count

    def withdraw(self) -> None:
        """Tell the others that this worker accepts no connections."""
        self._counts[self._place] = NOBODY

    def is_exceeded(self) -> bool:
        """Return whether this worker has many more connections than another one that accepts them."""
        counts = self._counts.tolist()
        own, counts[self._place] = counts[self._place], NOBODY
        fewest: int = min(counts)
        return bool(own > fewest + fewest // 2 + SLACK)
