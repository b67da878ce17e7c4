"""The generation table: shows whether something under a key has changed since it was read into memory.

Each key has a slot; several keys may share one. A change under a key writes a new random number into its slot twice: an
odd one before other processes can see the change, an even one afterwards. Data that is read while the number is odd
must not be kept in memory, so if a writer is killed in between, no process keeps outdated data. Zero means that nothing
was ever stored under any key of the slot. The numbers are random because two processes that incremented a counter at
the same time could write the same value.

Beside the slots are the times of the last uses of entries, so that no process evicts what another one uses.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
from collections.abc import Iterable
from itertools import count
from mmap import mmap
from zlib import crc32

from cache.stores.base import Stamp
from cache.stores.purge_scopes import names_of
from cache.stores.purges import KnownPurges

SLOTS = 1 << 22
HEADER_SIZE = 4096
USES = 1 << 18
"""Places for the times of last uses."""
_SLOTS_END = HEADER_SIZE + 4 * SLOTS
TABLE_SIZE = _SLOTS_END + 4 * USES
"""Bytes: the header, and four for each slot and each time."""

MAX_ADDED = 300_000
"""Keys that are added one by one, which takes about a second."""

_LOCAL_COUNTERS = 1 << 18

_REMEMBERED_USE = 86_400_000
"""Milliseconds in which a use counts: much longer than it takes until the rows have it."""


_random = random.Random(secrets.randbits(256))  # noqa: S311 - its numbers must be unique, not secret
os.register_at_fork(after_in_child=_random.seed)


def _unique_version() -> int:
    """Return a number that no other process returns. It takes no system call."""
    return _random.getrandbits(64)


class Generations:
    """The slots of one store, in memory that its processes share. No method waits."""

    def __init__(self, memory: mmap) -> None:
        """Use `memory`, of TABLE_SIZE bytes."""
        self._memory = memory
        self._slots = memoryview(memory)[HEADER_SIZE:_SLOTS_END].cast("I")
        self._uses = memoryview(memory)[_SLOTS_END:TABLE_SIZE].cast("I")
        self._version = memoryview(memory)[HEADER_SIZE - 8 : HEADER_SIZE].cast("Q")
        self._purge_version = memoryview(memory)[HEADER_SIZE - 16 : HEADER_SIZE - 8].cast("Q")
        self._removal_version = memoryview(memory)[HEADER_SIZE - 24 : HEADER_SIZE - 16].cast("Q")
        self.purges = KnownPurges()
        """The purges of the store."""
        # Counts changes that only this process can see yet. Slots share counters: a collision costs one needless read
        self._local_changes = memoryview(bytearray(4 * _LOCAL_COUNTERS)).cast("I")
        self._unique_numbers = count(1)
        self._stamped = 0
        """The version of the last stamp."""

    def slot(self, key: str) -> int:
        """Return the slot of a primary key."""
        return crc32(key.encode("utf-8", "replace")) % SLOTS

    def version(self) -> int:
        """Return a number that differs after any change under any key. Read it before `current`."""
        return self._version[0]

    def purge_version(self) -> int:
        """Return a number that differs after any purge."""
        return self._purge_version[0]

    def removal_version(self) -> int:
        """Return a number that differs after anything was deleted or invalidated under a single key."""
        return self._removal_version[0]

    def note_removal(self) -> None:
        """Record that something is deleted or invalidated. Call it after `begin_change`, in the same transaction."""
        self._removal_version[0] = secrets.randbits(64)

    def note_purge(self) -> None:
        """Record that a purge is stored, so that every process reads it before its next use of a stored response."""
        self._purge_version[0] = secrets.randbits(64)
        self._version[0] = secrets.randbits(64)

    def generation(self, key: str) -> int:
        """Return a number that differs after any change under a key, except a purge of a tag."""
        return self.current(self.slot(key))

    def last_purge(self) -> int:
        """Return the number of the last purge that is known; -1 if finding out needs waiting."""
        number = self.purges.number()
        return -1 if number is None else number

    def may_concern(self, key: str, number: int) -> bool:
        """Return whether a response that was asked for before the purges after that number may be covered by one."""
        return self.last_purge() != number and self.purges.may_concern(key, number)

    def stamp(self, key: str) -> Stamp:
        """Return a stamp for what is read now under a key, without its tags. Take it before the data is read."""
        version, slot, purges = self.version(), self.slot(key), self.purges.number()
        if version == self._stamped:
            version = self._stamped  # the same object for all stamps: memory is full of them
        self._stamped = version
        # -1 comes before all purges: if they are not known, what is read now is outdated from the beginning
        purges = -1 if purges is None else purges
        return Stamp(slot, self.current(slot), version, names=names_of(key), purges=purges, tags="")

    def is_current(self, stamp: Stamp) -> bool:
        """Return whether nothing has changed under the stamp's key, by a purge or otherwise."""
        if stamp.generation != self.current(stamp.slot):
            return False
        number = self.purges.number()
        if number != stamp.purges:
            if number is None or self.purges.is_outdated(stamp.names, stamp.purges, stamp.tags):
                return False
            stamp.purges = number
        return True

    def current(self, slot: int) -> int:
        """Return a number that differs after any change under any key of the slot.

        During a change, and after one that was interrupted, every call returns another number.
        """
        value: int = self._slots[slot]
        if value & 1:
            return -next(self._unique_numbers)
        return value << 32 | self._local_changes[slot % _LOCAL_COUNTERS]

    def stable_value(self, slot: int) -> int | None:
        """Return the value of the slot: 0 if nothing was ever stored there, None during a change."""
        value: int = self._slots[slot]
        return None if value & 1 else value

    def note_local_change(self, slot: int) -> None:
        """Record a change that only this process can see yet."""
        number = slot % _LOCAL_COUNTERS
        self._local_changes[number] = (self._local_changes[number] + 1) & 0xFFFF_FFFF
        self._version[0] = _unique_version()

    def note_use(self, entry_id: str, now: float) -> None:
        """Record that an entry was used at `now`, in seconds since the epoch."""
        self._uses[crc32(entry_id.encode()) % USES] = _milliseconds(now) | 1  # 0 means that it was never used

    def last_use(self, entry_id: str, now: float) -> float:
        """Return when a process has used an entry in the last day, in seconds since the epoch, or 0.

        It may be the use of another entry: some share a place, and only the latest use is kept.
        """
        last = self._uses[crc32(entry_id.encode()) % USES]
        ago = (_milliseconds(now) | 1) - last & 0xFFFF_FFFF  # large after the clock was set back
        return now - ago / 1000 if last and ago < _REMEMBERED_USE else 0.0

    def begin_change(self, slots: Iterable[int]) -> int:
        """Record that changes are about to be visible to other processes. Return the new, odd value of the slots."""
        value = secrets.randbits(32) | 1
        self._set(slots, value)
        return value

    def end_change(self, slots: Iterable[int], begun: int | None = None) -> int:
        """Record that changes have become visible to other processes. Return the new, even value of the slots.

        `begun` is the value from `begin_change`. A slot with another value is in a later change and is left alone.
        """
        value = secrets.randbelow((1 << 31) - 1) + 1 << 1
        self._set([slot for slot in slots if begun in (None, self._slots[slot])], value)
        return value

    def _set(self, slots: Iterable[int], value: int) -> None:
        for slot in slots:
            self._slots[slot] = value
        self._version[0] = secrets.randbits(64)  # last: a reader that knows this version does not read the slots again

    def detach(self) -> None:
        """Release the memory. From now on the table shows that nothing is stored under any key."""
        slots, self._slots = self._slots, memoryview(mmap(-1, 4 * SLOTS)).cast("I")
        uses, self._uses = self._uses, memoryview(bytearray(4 * USES)).cast("I")
        version, self._version = self._version, memoryview(bytearray(8)).cast("Q")
        purge_version, self._purge_version = self._purge_version, memoryview(bytearray(8)).cast("Q")
        removal_version, self._removal_version = self._removal_version, memoryview(bytearray(8)).cast("Q")
        slots.release()
        uses.release()
        version.release()
        purge_version.release()
        removal_version.release()
        self._memory.close()

    def add(self, keys: Iterable[str]) -> None:
        """Record that something is stored under each key. No other process may use the table yet.

        If there are too many keys, something may be stored under any key from now on.
        """
        value = self.end_change(())
        slot = self.slot
        for number, key in enumerate(keys):
            if number == MAX_ADDED:
                self._memory[HEADER_SIZE:_SLOTS_END] = value.to_bytes(4, sys.byteorder) * SLOTS
                return
            self._slots[slot(key)] = value


def private_generations() -> Generations:
    """Return a table for a store that no other process shares."""
    return Generations(mmap(-1, TABLE_SIZE))


def _milliseconds(now: float) -> int:
    """Return the low 32 bits of a time in milliseconds: they repeat after seven weeks."""
    return int(now * 1000) & 0xFFFF_FFFF
