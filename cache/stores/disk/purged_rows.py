"""Carry out purges in the rows: behind the requests, a few at a time, and in one process at a time."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from threading import Event, Lock, Thread
from time import perf_counter

from cache.stores.base import StoreError
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.rows import Rows, Value
from cache.stores.disk.tag_index import hash_of
from cache.stores.purge_scopes import ALL, Scope, Where, ranges_of

logger = logging.getLogger(__name__)

LOCK_FILE = "deleting"
"""Name of a file that is locked by the process that deletes."""

_STEP = 0.005
"""Seconds that one transaction should take."""
_REST = 0.015
"""Seconds between two steps. Writers of other processes look for the lock in intervals of this order."""
_LAST_COMPARISONS = 20
"""Rests between the last step of purges by conditions and the end of comparing rows with them."""
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

_TAGGED = """
    SELECT Tag.body, Cache.tag FROM Tag JOIN Cache ON Cache.rowid = Tag.body
    WHERE Tag.hash = ? AND Tag.body > ? AND Cache.access_count < ? ORDER BY Tag.body LIMIT ?
"""
_KEYS = "SELECT key, key FROM Cache WHERE key >= ? AND key < ? AND raw = 1 AND access_count < ? ORDER BY key LIMIT ?"

type CarryOut = Callable[[Sequence[str]], None]
"""Writes the entries under some keys as purges leave them, in one transaction."""


def carry_out_purges(
    rows: Rows, purges: PurgeTable, numbers: Collection[int], carry_out: CarryOut, should_continue: Callable[[], bool]
) -> None:
    """Delete or mark what pending purges cover.

    No process sees a difference, since these rows count as absent or as stale already.

    Args:
        rows: the store's rows.
        purges: the store's purges.
        numbers: those of the purges to carry out. What others cover may still be counted in the process that purges it.
        carry_out: writes entries as the purges leave them.
        should_continue: called before each of the short steps. It may wait, and returns whether to take the step.

    Raises:
        StoreError: the store cannot be read or written.
    """
    pending = [(scope, number) for scope, number in purges.pending() if number in numbers]
    conditions = [(scope, number) for scope, number in pending if isinstance(scope, Where)]
    for scope, number in pending:
        if isinstance(scope, Where):
            continue
        if scope.is_range and not scope.soft:
            done = all(
                _delete_selected(rows, select, (start, stop, number), should_continue)
                for select, start, stop in _selections(scope)
            )
        else:
            done = _carry_out(rows, _keys_of(rows, scope, number), carry_out, should_continue)
        if not done:
            return
        purges.finish(number)
    # one pass over the keys for all of them
    if not conditions or not _carry_out(rows, _keys_compared(rows, conditions), carry_out, should_continue):
        return
    # a thread may still compare a row that it has read before the last step
    if all(should_continue() for _ in range(_LAST_COMPARISONS)):
        for _, number in conditions:
            purges.finish(number)
        purges.note_finished()


def _selections(scope: Scope) -> Iterator[tuple[str, Value, Value]]:
    """Iterate over the statements that select what a scope covers, each with the range of their first column."""
    if scope.name == ALL:  # also the rows that belong to no entry
        yield _ROWS, 0, _MAX_ROWID
        return
    for start, stop in scope.key_ranges():
        yield _HEADS, f"u:{start}", f"u:{stop}"
        yield _BODIES, start, stop


def _keys_of(rows: Rows, scope: Scope, number: int) -> Iterator[list[str]]:
    """Iterate over the keys under which a purge of that number may cover something, page by page."""
    if scope.tag is not None:
        yield from _tagged_keys(rows, hash_of(scope.tag), number)
        return
    for start, stop in scope.key_ranges():
        yield from _keys_in(rows, start, stop, number)


def _keys_compared(rows: Rows, purges: Sequence[tuple[Scope, int]]) -> Iterator[list[str]]:
    """Iterate over the keys under which one of these purges may cover something, page by page."""
    last = max(number for _, number in purges)
    for start, stop in ranges_of([scope for scope, _ in purges]):
        for page in _keys_in(rows, start, stop, last):
            yield [key for key in page if any(scope.may_cover(key) for scope, _ in purges)]


def _tagged_keys(rows: Rows, tag: int, number: int) -> Iterator[list[str]]:
    last: Value = 0
    while True:
        with rows.failures():
            found = rows.execute(_TAGGED, tag, last, number, _MAX_ROWS)
        if not found:
            return
        yield [str(key) for _, key in found]
        last = found[-1][0]


def _keys_in(rows: Rows, start: str, stop: str, number: int) -> Iterator[list[str]]:
    place = f"u:{start}"
    while True:
        with rows.failures():
            found = rows.execute(_KEYS, place, f"u:{stop}", number, _MAX_ROWS)
        if not found:
            return
        yield [str(key).removeprefix("u:") for key, _ in found]
        place = str(found[-1][0]) + "\0"


def _carry_out(
    rows: Rows, pages: Iterable[list[str]], carry_out: CarryOut, should_continue: Callable[[], bool]
) -> bool:
    """Write the entries under keys as purges leave them, in short steps. Return whether that is done."""
    steps = _Steps(rows)
    for page in pages:
        left = list(dict.fromkeys(page))
        if not should_continue():
            return False
        while left:
            some, left = left[: steps.size], left[steps.size :]
            steps.begin()
            carry_out(some)
            steps.end()
            if left and not should_continue():
                return False
    return True


def _delete_selected(
    rows: Rows, select: str, range_and_number: tuple[Value, Value, int], should_continue: Callable[[], bool]
) -> bool:
    """Delete rows of a range that are from before the purge of that number. Return whether all are deleted."""
    start, stop, number = range_and_number
    steps = _Steps(rows)
    while should_continue():
        with rows.failures():
            found = rows.execute(select, start, stop, number, steps.size)
        if not found:
            return True
        with rows.exclusive() as (execute, discard):
            steps.begin()
            execute(_DELETE, json.dumps([rowid for rowid, _, _ in found]))
            for _, _, name in found:
                discard(name)
        steps.end()
        start = found[-1][1]  # rows before it have been written since the purge
    return False


class _Steps:
    """Short steps: each takes as many rows as can be written in the time that one should take."""

    def __init__(self, rows: Rows) -> None:
        self.size = 20
        """Rows of the next step."""
        self._rows = rows
        self._began = 0.0
        with rows.failures():
            rows.execute("PRAGMA wal_autocheckpoint = 0")  # else a commit writes the log back while other writers wait

    def begin(self) -> None:
        """Note the time at which a step begins."""
        self._began = perf_counter()

    def end(self) -> None:
        """Write the log back after a step, and choose the size of the next one. Raises StoreError."""
        took = perf_counter() - self._began
        with self._rows.failures():
            self._rows.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self.size = max(1, min(_MAX_ROWS, int(self.size * min(2.0, _STEP / took))))


class PurgedRowsDeleter:
    """A thread that deletes or marks what purges cover, as long as something is left."""

    def __init__(self, directory: Path, rows: Rows, purges: PurgeTable, carry_out: CarryOut) -> None:
        self._carry_out = carry_out
        self._lock_file = directory / LOCK_FILE
        self._rows = rows
        self._purges = purges
        self._stopped = Event()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._again = False
        self._numbers: frozenset[int] = frozenset()
        """Those of the purges to carry out."""
        self._in_haste = self._failing = False

    def start(self, numbers: Iterable[int]) -> None:
        """Begin to carry out the purges of these numbers, unless that is going on already."""
        with self._lock:
            self._again, self._numbers = True, self._numbers.union(numbers)
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
                numbers = self._numbers
                carry_out_purges(self._rows, self._purges, numbers, self._carry_out, self._should_continue)
                with self._lock:
                    self._numbers -= numbers
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
