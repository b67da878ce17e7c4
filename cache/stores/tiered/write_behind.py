"""Changes on their way to the disk: in order, many in one transaction, written by a thread of their own."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition, Lock, Thread

from cache.policy.reasons import NotStored
from cache.stores.base import StoreError
from cache.stores.disk.editing import Editing
from cache.stores.disk.store import DiskStore

logger = logging.getLogger(__name__)

DELAY = 0.05
"""Seconds that a change waits for others to share its transaction."""
MOST_AT_ONCE = 2000
"""Changes in one transaction."""
_MOST_OCTETS = 32 << 20

type Write = Callable[[Editing], object]


@dataclass(eq=False, slots=True)
class Change:
    """One change that waits, under one key."""

    key: str
    slot: int
    base: int
    """The generation of what it was decided upon."""
    octets: int
    write: Write


class WriteBehind:
    """The changes that wait: at most an eighth of the memory. Its lock is its owner's."""

    def __init__(
        self,
        disk: DiskStore,
        memory_size: int,
        lock: Lock,
        written: Callable[[Editing], None],
        lost: Callable[[list[str], NotStored], None],
    ) -> None:
        """Call `written` after a transaction, and `lost` with the keys of changes that came to nothing."""
        self.keys: dict[str, int] = {}
        """How many changes wait under each key, those included that are being written."""
        self._disk = disk
        self._room = min(memory_size // 8, _MOST_OCTETS)
        self._condition = Condition(lock)
        self._written = written
        self._lost = lost
        self._waiting: deque[Change] = deque()
        self._octets = 0
        self._added = self._done = self._wanted = 0
        self._thread: Thread | None = None
        self._closed = False

    def has_room(self, octets: int) -> bool:
        """Tell whether a change of so many octets may be added. The lock must be held."""
        return not self._closed and self._octets + octets <= self._room and self._is_running()

    def add(self, change: Change) -> None:
        """Have a change written soon. The lock must be held."""
        self._waiting.append(change)
        self._octets += change.octets
        self._added += 1
        self.keys[change.key] = self.keys.get(change.key, 0) + 1
        if len(self._waiting) in (1, MOST_AT_ONCE):
            self._condition.notify_all()

    def flush(self) -> None:
        """Wait until everything that has been added is written, or lost."""
        with self._condition:
            goal = self._added
            self._wanted = max(self._wanted, goal)
            self._condition.notify_all()
            while self._done < goal and self._is_running():
                self._condition.wait()

    def close(self) -> None:
        """Write everything and take nothing more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        if thread := self._thread:
            thread.join()

    def _is_running(self) -> bool:
        if self._thread is None:
            thread = Thread(target=self._run, name="store-writer", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        try:
            while batch := self._next_batch():
                self._write(batch)
        finally:
            self._thread = None  # whatever ended it: who adds the next change starts another

    def _next_batch(self) -> list[Change]:
        """Wait for changes and for others to join them; return none when closed."""
        with self._condition:
            while not self._waiting and not self._closed:
                self._condition.wait()
            due = time.monotonic() + DELAY
            while not self._is_due() and (left := due - time.monotonic()) > 0:
                self._condition.wait(left)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]

    def _is_due(self) -> bool:
        return self._closed or self._wanted > self._done or len(self._waiting) >= MOST_AT_ONCE

    def _write(self, batch: list[Change]) -> None:
        attempt = _Attempt(batch)
        try:
            self._disk.edit(attempt.run)
        except Exception as error:  # whatever it was, the transaction was rolled back
            logger.warning("%d changes were not written: %s", len(batch), error)
            attempt.failed = [each.key for each in batch]
            attempt.editing = None
            if not isinstance(error, StoreError):
                raise
        finally:
            with self._condition:
                self._settle(batch, attempt)
                self._condition.notify_all()

    def _settle(self, batch: list[Change], attempt: _Attempt) -> None:
        self._done += len(batch)
        for change in batch:
            self._octets -= change.octets
            self.keys[change.key] -= 1
            if not self.keys[change.key]:
                del self.keys[change.key]
        if attempt.editing:
            self._rebase(attempt.editing.generation, attempt.editing.before)
            self._written(attempt.editing)
        if attempt.failed:
            self._lost(attempt.failed, NotStored.STORE_FAILED)
        if attempt.overtaken:
            self._lost(attempt.overtaken, NotStored.OVERTAKEN)

    def _rebase(self, generation: int | None, before: Mapping[int, int | None]) -> None:
        """Let what waits on top of our own changes not take them for another's."""
        if generation is not None:
            for change in self._waiting:
                if change.slot in before and before[change.slot] == change.base:
                    change.base = generation


class _Attempt:
    """One transaction for a batch."""

    def __init__(self, batch: list[Change]) -> None:
        self._batch = batch
        self.editing: Editing | None = None
        self.failed: list[str] = []
        self.overtaken: list[str] = []

    def run(self, editing: Editing) -> None:
        """Make the changes, except those which another process has overtaken: its purge must not be undone."""
        self.editing, self.failed, self.overtaken = editing, [], []
        for change in self._batch:
            if editing.settled(change.slot) != change.base:
                self.overtaken.append(change.key)
                continue
            try:
                change.write(editing)
            except StoreError as error:
                logger.warning("a change was not written: %s", error)
                self.failed.append(change.key)
