"""Sweeping: remove the rows and files that killed processes left in the store's directory, in small steps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from cache.stores.base import StoreError
from cache.stores.disk.bytes_disk import BODIES, BODY_FILE
from cache.stores.disk.rows import Rows

logger = logging.getLogger(__name__)

_START_DELAY = 10.0
"""Seconds between opening the store and sweeping. Most commands end before that."""
_PAUSE = 0.05
"""Seconds between two steps."""

_STEP = "SELECT MAX(rowid) FROM (SELECT rowid FROM Cache WHERE rowid > ? ORDER BY rowid LIMIT 500)"
_STRAYS = """
    FROM Cache WHERE rowid > ? AND rowid <= ? AND (raw IS NOT 1 OR typeof(key) IS NOT 'text' OR NOT (
        (key GLOB 'u:*' AND tag IS NULL AND filename IS NULL)
        OR (key GLOB 'b:*' AND EXISTS (
            SELECT 1 FROM Cache AS head WHERE head.key = 'u:' || Cache.tag AND head.raw = 1))))
"""


def sweep(directory: Path, rows: Rows, should_continue: Callable[[], bool]) -> None:
    """Remove rows that belong to no entry, and body files that belong to no row.

    Args:
        directory: the store's directory.
        rows: the store's rows.
        should_continue: called before each of the short steps. It may wait, and returns whether to take the step.

    Raises:
        StoreError: the store cannot be read or written.
    """
    last = 0
    while should_continue():
        with rows.failures():
            ((stop,),) = rows.execute(_STEP, last)
        if not isinstance(stop, int):
            break
        _drop_strays(rows, last, stop)
        last = stop
    for subdirectory in sorted((directory / BODIES).glob("*")):
        if not should_continue():
            return
        _drop_orphans(subdirectory, rows)


def _drop_strays(rows: Rows, start: int, last: int) -> None:
    with rows.failures():
        found = rows.execute("SELECT 1" + _STRAYS + "LIMIT 1", start, last)
    if found:
        with rows.exclusive():
            rows.execute("DELETE" + _STRAYS, start, last)


def _drop_orphans(subdirectory: Path, rows: Rows) -> None:
    names = {f"{BODIES}/{subdirectory.name}/{path.name}" for path in subdirectory.glob("*")}
    files = {name for name in names if BODY_FILE.fullmatch(name)}
    prefix = f"{BODIES}/{subdirectory.name}/"
    with rows.failures():
        orphans = files - rows.file_names(prefix)
    if orphans:
        with rows.exclusive():  # else a writer could be between moving a file to its path and committing its row
            for name in orphans - rows.file_names(prefix):
                rows.disk.remove(name)


class Sweeper:
    """A thread that sweeps once, some seconds after the start, with a pause between steps."""

    def __init__(self, sweep_all: Callable[[Callable[[], bool]], None]) -> None:
        """Call `sweep_all` on the thread, with the `should_continue` function that it must obey."""
        self._sweep_all = sweep_all
        self._stopped = Event()
        self._thread: Thread | None = Thread(target=self._run, name="store-sweeper", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads: the next process will sweep
            self._thread = None

    def stop(self) -> None:
        """Stop sweeping after the current step, and wait for the thread to end."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        if self._stopped.wait(_START_DELAY):
            return
        try:
            self._sweep_all(lambda: not self._stopped.wait(_PAUSE))
        except StoreError as error:
            logger.warning("the remains of killed processes were not swept: %s", error)
