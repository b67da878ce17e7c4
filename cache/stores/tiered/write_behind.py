"""Write changes to the disk behind the requests: in order, many in one transaction, on a thread."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition, Lock, Thread

from cache.policy.reasons import NotStored
from cache.stores.base import Overtaken, StoreError
from cache.stores.disk.entry_transaction import EntryTransaction
from cache.stores.disk.row_transaction import IdTaken
from cache.stores.disk.store import DiskStore

logger = logging.getLogger(__name__)

DELAY = 0.05
"""Seconds that a change waits for others to share its transaction."""
MAX_BATCH = 2000
"""Changes in one transaction."""
_MAX_PENDING_SIZE = 32 << 20

type Write = Callable[[EntryTransaction], object]
"""Makes a change in a transaction. Its result is ignored."""


@dataclass(eq=False, slots=True)
class Change:
    """A pending change under one key."""

    key: str
    slot: int
    base: int
    """Generation of the entries that the change was based on."""
    last_purge: int
    """Number of the last purge before the change."""
    size: int
    """Bytes that it takes in memory."""
    write: Write
    tags: str = ""
    """The cache tags of the entry, a line for each."""
    removals: int | None = None
    """The version of removals before the change, if it may join what other processes have stored meanwhile."""


class WriteBehind:
    """The queue of pending changes, at most an eighth of the memory. It uses the lock of its owner."""

    def __init__(
        self,
        disk: DiskStore,
        memory_size: int,
        lock: Lock,
        on_written: Callable[[EntryTransaction], None],
        on_lost: Callable[[list[str], NotStored], None],
    ) -> None:
        """Call `on_written` after each transaction, and `on_lost` with the keys of changes that were not made.

        Both are called with the lock held.
        """
        self.keys: dict[str, int] = {}
        """Number of changes that are pending or being written, by key."""
        self._disk = disk
        self._max_size = min(memory_size // 8, _MAX_PENDING_SIZE)
        self._condition = Condition(lock)
        self._on_written = on_written
        self._on_lost = on_lost
        self._pending: deque[Change] = deque()
        self._size = 0
        # Numbers of changes: added so far, finished so far, and to be written without delay
        self._added = self._finished = self._flush_up_to = 0
        self._calls: deque[tuple[int, Callable[[], None]]] = deque()
        """The functions to call once so many changes have finished, in order."""
        self._thread: Thread | None = None
        self._closed = self._failing = False

    def has_room(self, size: int) -> bool:
        """Return whether a change of `size` bytes may be added. The lock must be held."""
        return not self._closed and self._size + size <= self._max_size and self._is_running()

    def add(self, change: Change) -> None:
        """Add a change, to be written soon. The lock must be held."""
        self._pending.append(change)
        self._size += change.size
        self._added += 1
        self.keys[change.key] = self.keys.get(change.key, 0) + 1
        if len(self._pending) in (1, MAX_BATCH):
            self._condition.notify_all()

    def flush(self) -> None:
        """Wait until all changes added so far are written or lost."""
        with self._condition:
            goal = self._added
            self.write_soon()
            while self._finished < goal and self._is_running():
                self._condition.wait()

    def call_when_written(self, key: str, call: Callable[[], None]) -> bool:
        """Call a function, on the thread, when the changes under a key are written or lost. The lock must be held.

        Return false if there are none: it is not called then.
        """
        if key not in self.keys:
            return False
        self._calls.append((self._added, call))
        return True

    def write_soon(self) -> None:
        """Write the changes added so far without further delay. The lock must be held."""
        self._flush_up_to = max(self._flush_up_to, self._added)
        self._condition.notify_all()

    def close(self) -> None:
        """Write all changes and refuse new ones."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        if thread := self._thread:
            thread.join()

    def _is_running(self) -> bool:
        """Start the thread if necessary. Return whether it runs."""
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
            self._thread = None  # also after an error: the next change starts another thread

    def _next_batch(self) -> list[Change]:
        """Wait for changes, and for more to join them. Return an empty list when closed and nothing is pending."""
        with self._condition:
            while not self._pending and not self._closed:
                self._condition.wait()
            deadline = time.monotonic() + DELAY
            while not self._is_due() and (left := deadline - time.monotonic()) > 0:
                self._condition.wait(left)
            return [self._pending.popleft() for _ in range(min(len(self._pending), MAX_BATCH))]

    def _is_due(self) -> bool:
        return self._closed or self._flush_up_to > self._finished or len(self._pending) >= MAX_BATCH

    def _write(self, batch: list[Change]) -> None:
        attempt = _Attempt(batch)
        try:
            self._transact(attempt)
            self._failing = False
        except Exception as error:  # of any kind: the transaction was rolled back
            if not self._failing:
                logger.warning("%d changes were not written: %s", len(batch), error)
            self._failing = True
            attempt.failed = [each.key for each in batch]
            attempt.transaction = None
            if not isinstance(error, StoreError):
                raise
        finally:
            with self._condition:
                self._finish(batch, attempt)
                self._condition.notify_all()

    def _transact(self, attempt: _Attempt) -> None:
        try:
            self._disk.transact(attempt.run)
        except IdTaken:
            attempt.one_by_one = True
            self._disk.transact(attempt.run)

    def _finish(self, batch: list[Change], attempt: _Attempt) -> None:
        self._finished += len(batch)
        for change in batch:
            self._size -= change.size
            self.keys[change.key] -= 1
            if not self.keys[change.key]:
                del self.keys[change.key]
        if attempt.transaction:
            self._rebase(attempt.transaction.generation, attempt.transaction.before)
            self._on_written(attempt.transaction)
        if attempt.failed:
            self._on_lost(attempt.failed, NotStored.STORE_FAILED)
        if attempt.overtaken:
            self._on_lost(attempt.overtaken, NotStored.OVERTAKEN)
        while self._calls and self._calls[0][0] <= self._finished:
            self._calls.popleft()[1]()

    def _rebase(self, generation: int | None, before: Mapping[int, int | None]) -> None:
        """Base pending changes on the generation just written, since that change is not another process's."""
        if generation is not None:
            for change in self._pending:
                if change.slot in before and before[change.slot] == change.base:
                    change.base = generation


class _Attempt:
    """The attempt to write a batch in one transaction. It may run twice, when the disk is full."""

    def __init__(self, batch: list[Change]) -> None:
        self._batch = batch
        self.one_by_one = False
        """Write the rows of each change on their own, to find the one that cannot be written."""
        self.transaction: EntryTransaction | None = None
        self.failed: list[str] = []
        self.overtaken: list[str] = []

    def run(self, transaction: EntryTransaction) -> None:
        """Make the changes, except under keys that another process has changed or that were purged."""
        self.transaction, self.failed, self.overtaken = transaction, [], []
        for change in self._batch:
            is_outdated = transaction.is_outdated(change.slot, change.base, change.removals)
            if is_outdated or transaction.is_purged(change.key, change.last_purge, change.tags):
                self.overtaken.append(change.key)
                continue
            try:
                change.write(transaction)
                if self.one_by_one:
                    transaction.write_added()
            except Overtaken:
                self.overtaken.append(change.key)
            except StoreError as error:
                if isinstance(error, IdTaken) and not self.one_by_one:
                    raise
                logger.warning("a change was not written: %s", error)
                self.failed.append(change.key)
