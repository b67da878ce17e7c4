"""The generation table of one node: it shows what the engine has told of changes that other nodes have made.

The engine tells the names of rows, from which the slot of a key follows. While changes may have been missed, nothing
that was read before counts: the table is renewed as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from mmap import mmap
from typing import override

from cache.stores.generations import SLOTS, TABLE_SIZE, Generations
from cache.stores.redis.keys import number_in, number_of


class SharedGenerations(Generations):
    """Slots as in every store, and an epoch for all of them. Something may be stored under any key."""

    def __init__(self) -> None:
        super().__init__(mmap(-1, TABLE_SIZE))
        self._numbers = count(1)
        self._epoch = 1
        """Odd, so that it is never mistaken for a slot under which nothing was ever stored."""

    @override
    def slot(self, key: str) -> int:
        """Return the slot of a primary key."""
        return number_of(key) % SLOTS

    @override
    def stable_value(self, slot: int) -> int | None:
        """Return a number that differs after any change under any key of the slot, and after `renew`."""
        value: int = self._slots[slot]
        return self._epoch << 32 | value

    @override
    def current(self, slot: int) -> int:
        """Return a number that differs after any change under any key of the slot, and after `renew`."""
        return self._epoch << 64 | super().current(slot)

    def renew(self) -> None:
        """Let nothing count that was read so far: anything may have changed."""
        self._epoch += 2
        self.note_removal()
        self.end_change(())  # another version

    @override
    def end_change(self, slots: Iterable[int], begun: int | None = None) -> int:
        """Record changes, which nothing announces with `begin_change`. Return the new value of the slots."""
        # only this process has the table, so a count is enough; a random number would be a system call for each change
        number = next(self._numbers)
        value = (number << 1 & 0xFFFF_FFFF) or 2
        for slot in slots:
            self._slots[slot] = value
        self._version[0] = number
        return value

    def changed(self, name: bytes) -> None:
        """Note that something of a primary key has changed, by a name that belongs to it."""
        self.end_change([number_in(name) % SLOTS])

    def own_change(self, key: str) -> int:
        """Note a change of this node. Return the value of the slot from now on."""
        return self._epoch << 32 | self.end_change([self.slot(key)])  # another node's change may follow at once
