"""The generation table: tells who keeps a copy in memory that something under its key has changed since.

A key has a slot, which it may share with others. A change under a key writes a new random value into its slot, twice:
an odd one before others can see the change, an even one afterwards. Whoever reads between the two keeps nothing of it,
so that a process killed there leaves nobody with what was before. Zero means that nothing was ever stored under any
key of the slot. Random values, because of two processes that count at once each would believe its count is the last.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from itertools import count
from mmap import mmap
from zlib import crc32

SLOTS = 1 << 22
HEADER_SIZE = 4096
TABLE_SIZE = HEADER_SIZE + 4 * SLOTS

_OWN_COUNTERS = 1 << 18


class Generations:
    """The slots of one store, shared with whoever else has the same memory mapped. Nothing here waits for anything."""

    def __init__(self, memory: mmap) -> None:
        """Use `memory`, of TABLE_SIZE octets."""
        self._memory = memory
        self._slots = memoryview(memory)[HEADER_SIZE:TABLE_SIZE].cast("I")
        self._version = memoryview(memory)[HEADER_SIZE - 8 : HEADER_SIZE].cast("Q")
        # What this process holds and others cannot see yet. Fewer counters than slots: a collision costs a second look
        self._own = memoryview(bytearray(4 * _OWN_COUNTERS)).cast("I")
        self._unlike = count(1)

    def slot(self, key: str) -> int:
        """Return the slot of a primary key."""
        return crc32(key.encode("utf-8", "replace")) % SLOTS

    def version(self) -> int:
        """Return a number that is another one after any change under any key. Take it before `current`."""
        return self._version[0]

    def current(self, slot: int) -> int:
        """Return a number that is another one after any change under any key of the slot.

        While a change is under way, and after one that was broken off, no two calls return the same number.
        """
        value: int = self._slots[slot]
        if value & 1:
            return -next(self._unlike)
        return value << 32 | self._own[slot % _OWN_COUNTERS]

    def settled(self, slot: int) -> int | None:
        """Return the slot's value, 0 if nothing was ever stored there, or None while a change is under way."""
        value: int = self._slots[slot]
        return None if value & 1 else value

    def change_here(self, slot: int) -> None:
        """Note a change that only this process can see so far."""
        number = slot % _OWN_COUNTERS
        self._own[number] = (self._own[number] + 1) & 0xFFFF_FFFF
        self._version[0] = secrets.randbits(64)

    def begin_change(self, slots: Iterable[int]) -> int:
        """Note that changes are about to become visible to others; return the value that the slots have meanwhile."""
        value = secrets.randbits(32) | 1
        self._fill(slots, value)
        return value

    def end_change(self, slots: Iterable[int], begun: int | None = None) -> int:
        """Note that changes have become visible; return the value that the slots have now.

        `begun` is what they had meanwhile: one that has another value is in a later change, which is not ours to end.
        """
        value = secrets.randbelow((1 << 31) - 1) + 1 << 1
        self._fill([slot for slot in slots if begun in (None, self._slots[slot])], value)
        return value

    def _fill(self, slots: Iterable[int], value: int) -> None:
        for slot in slots:
            self._slots[slot] = value
        self._version[0] = secrets.randbits(64)  # only now: who has seen this looks at the slots no more

    def detach(self) -> None:
        """Let go of the memory; from now on nothing is stored under any key."""
        slots, self._slots = self._slots, memoryview(mmap(-1, 4 * SLOTS)).cast("I")
        version, self._version = self._version, memoryview(bytearray(8)).cast("Q")
        slots.release()
        version.release()
        self._memory.close()

    def add(self, keys: Iterable[str]) -> None:
        """Note keys under which something is stored, where nobody else uses the table yet."""
        value = self.end_change(())
        slot = self.slot
        for key in keys:
            self._slots[slot(key)] = value


def private_generations() -> Generations:
    """Return a table for a store that no other process can see."""
    return Generations(mmap(-1, TABLE_SIZE))
