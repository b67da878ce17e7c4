"""Delete the rows that purges cover: behind the requests, a few at a time, and in one process at a time."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from threading import Event, Lock, Thread
from time import perf_counter

from cache.stores.base import StoreError
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.rows import Rows, Value, integer
from cache.stores.purges import ALL, key_ranges

logger = logging.getLogger(__name__)

LOCK_FILE = "deleting"
"""Name of a file that is locked by the process that deletes."""

_STEP = 0.005
"""Seconds that one transaction should take."""
_REST = 0.015
"""Seconds between two steps. Writers of other processes look for the lock in intervals of this order."""
_MAX_ROWS = 500
_RETRY = 5.0
"""Seconds until the next attempt, when another process deletes or the disk fails."""

_BODIES = """
    SELECT rowid, tag, filename FROM Cache
    WHERE tag >= ? AND tag < ? AND access_count < ? ORDER BY tag LIMIT ?
"""
_HEADS = """
    SELECT rowid, key, NULL FROM Cache
    WHERE key >= ? AND key < ? AND raw = 1 AND access_count < ? ORDER BY key LIMIT ?
"""
_ROWS = """
    SELECT rowid, rowid, filename FROM Cache WHERE rowid >= ? AND rowid < ? AND access_count < ? ORDER BY rowid LIMIT ?
"""
_MAX_ROWID = (1 << 63) - 1
_DELETE = "DELETE FROM Cache WHERE rowid IN (SELECT value FROM json_each(?))"

_COUNT = "SELECT COUNT(*) FROM Cache WHERE tag >= ? AND tag < ?"
_COUNT_PURGED = _COUNT + " AND access_count >= ? AND access_count < ?"


def count_bodies(rows: Rows, pending: Iterable[tuple[str, int]], tag: str) -> int:
    """Return how many bodies have a tag, without those that a pending purge covers. Raises StoreError."""
    pending = tuple(pending)
    all_purged = max((number for name, number in pending if name == ALL), default=0)
    count = 0
    for start, stop in key_ranges(tag):
        with rows.failures():
            count += integer(rows.execute(_COUNT, start, stop))
        for name, number in pending:
            since = 0 if name == ALL else all_purged  # no row is subtracted twice: hosts have no keys in common
            for first, last in key_ranges(name):
                if max(start, first) < min(stop, last) and since < number:  # else there is nothing to look at
                    range_ = (max(start, first), min(stop, last))
                    with rows.failures():
                        count -= integer(rows.execute(_COUNT_PURGED, *range_, since, number))
    return count


def delete_purged(rows: Rows, purges: PurgeTable, should_continue: Callable[[], bool]) -> None:
    """Delete what pending purges cover.

    No process sees a difference, since these rows count as absent already. So no generation changes.

    Args:
        rows: the store's rows.
        purges: the store's purges.
        should_continue: called before each of the short steps. It may wait, and returns whether to take the step.

    Raises:
        StoreError: the store cannot be read or written.
    """
    for tag, number in purges.pending():
        for select, start, stop in _selections(tag):
            if not _delete_selected(rows, select, (start, stop, number), should_continue):
                return
        purges.finish(tag, number)


def _selections(tag: str) -> Iterator[tuple[str, Value, Value]]:
    """Iterate over the statements that select the rows with a tag, each with the range of their first column."""
    if tag == ALL:  # also the rows that belong to no entry
        yield _ROWS, 0, _MAX_ROWID
        return
    for start, stop in key_ranges(tag):
        yield _HEADS, f"u:{start}", f"u:{stop}"
        yield _BODIES, start, stop


def _delete_selected(
    rows: Rows, select: str, range_and_number: tuple[Value, Value, int], should_continue: Callable[[], bool]
) -> bool:
    """Delete rows of a range that are from before the purge of that number. Return whether all are deleted."""
    start, stop, number = range_and_number
    size = 20
    with rows.failures():
        rows.execute("PRAGMA wal_autocheckpoint = 0")  # else a commit writes the log back while other writers wait
    while should_continue():
        with rows.failures():
            found = rows.execute(select, start, stop, number, size)
        if not found:
            return True
        began = perf_counter()
        with rows.exclusive() as (execute, discard):
            began = perf_counter()
            execute(_DELETE, json.dumps([rowid for rowid, _, _ in found]))
            for _, _, name in found:
                discard(name)
        took = perf_counter() - began
        with rows.failures():
            rows.execute("PRAGMA wal_checkpoint(PASSIVE)")
        start = found[-1][1]  # rows before it have been written since the purge
        size = max(1, min(_MAX_ROWS, int(size * min(2.0, _STEP / took))))
    return False


class PurgedRowsDeleter:
    """A thread that deletes what purges cover, as long as something is left."""

    def __init__(self, directory: Path, rows: Rows, purges: PurgeTable) -> None:
        self._lock_file = directory / LOCK_FILE
        self._rows = rows
        self._purges = purges
        self._stopped = Event()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._again = False
        self._in_haste = self._failing = False

    def start(self) -> None:
        """Begin to delete, unless it is going on already."""
        with self._lock:
            self._again = True
            if self._thread is None and not self._stopped.is_set():
                thread = Thread(target=self._run, name="store-deleter", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads: the next purge or the next process deletes
                    return
                self._thread = thread

    def stop(self) -> None:
        """Stop after the current step, and wait for the thread to end. The next process goes on."""
        self._stopped.set()
        with self._lock:
            thread = self._thread
        if thread:
            thread.join()

    def finish(self) -> None:
        """Wait until everything is deleted. Other writers may have to wait. Do not wait for another process."""
        self._in_haste = True
        with self._lock:
            thread = self._thread
        if thread:
            thread.join()

    def _run(self) -> None:
        delay = 0.0
        while not self._stopped.wait(0.0 if self._in_haste else delay):
            with self._lock:
                if not self._again or (delay and self._in_haste):
                    self._thread = None
                    return
                self._again = False
            delay = 0.0 if self._delete() else _RETRY

    def _should_continue(self) -> bool:
        return not self._stopped.wait(0.0 if self._in_haste else _REST)

    def _delete(self) -> bool:
        """Delete what is purged. Return false if another process deletes, or on an error."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)
                delete_purged(self._rows, self._purges, self._should_continue)
                self._failing = False
                return True
            finally:
                os.close(descriptor)
        except BlockingIOError:
            pass
        except (OSError, StoreError) as error:
            if not self._failing:
                logger.warning("purged responses are not used any more, but cannot be deleted yet: %s", error)
            self._failing = True
        self._again = True
        return False
