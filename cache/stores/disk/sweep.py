"""Sweeping: what killed processes left in the store's directory and no entry owns. A little at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from cache.stores.base import StoreError
from cache.stores.disk.bytes_disk import BODIES, BODY_FILE
from cache.stores.disk.rows import Rows

logger = logging.getLogger(__name__)

_QUIET = 10.0
"""Seconds after the start before anything is swept: most commands are over by then."""
_PAUSE = 0.05
"""Seconds between two steps."""

SPOOLS = "spool"
"""The directory of the bodies on their way in."""

_STEP = "SELECT MAX(rowid) FROM (SELECT rowid FROM Cache WHERE rowid > ? ORDER BY rowid LIMIT 500)"
_STRAYS = """
    FROM Cache WHERE rowid > ? AND rowid <= ? AND (raw IS NOT 1 OR typeof(key) IS NOT 'text' OR NOT (
        (key GLOB 'u:*' AND tag IS NULL AND filename IS NULL)
        OR (key GLOB 'b:*' AND EXISTS (
            SELECT 1 FROM Cache AS head WHERE head.key = 'u:' || Cache.tag AND head.raw = 1))))
"""
_COUNT_OCTETS = """
    UPDATE Settings SET value = (SELECT COALESCE(SUM(size), 0) FROM Cache WHERE filename IS NOT NULL)
    WHERE key = 'size'
"""


def count_octets(rows: Rows) -> None:
    """Count the octets of body files anew, whatever number was found. Raises StoreError."""
    with rows.exclusive():
        rows.execute(_COUNT_OCTETS)


def sweep(directory: Path, rows: Rows, go_on: Callable[[], bool]) -> None:
    """Remove rows that belong to no entry, and body files that belong to no row.

    Args:
        directory: the store's.
        rows: its rows.
        go_on: called between two steps, each of them short; may wait, and tells whether to take the next.

    Raises:
        StoreError: the store cannot be read or written.
    """
    last = 0
    while go_on():
        with rows.failures():
            ((stop,),) = rows.execute(_STEP, last)
        if not isinstance(stop, int):
            break
        _drop_strays(rows, last, stop)
        last = stop
    for folder in sorted((directory / BODIES).glob("*")):
        if not go_on():
            return
        _drop_orphans(folder, rows)


def _drop_strays(rows: Rows, start: int, last: int) -> None:
    with rows.failures():
        found = rows.execute("SELECT 1" + _STRAYS + "LIMIT 1", start, last)
    if found:
        with rows.exclusive():
            rows.execute("DELETE" + _STRAYS, start, last)


def _drop_orphans(folder: Path, rows: Rows) -> None:
    names = {f"{BODIES}/{folder.name}/{path.name}" for path in folder.glob("*")}
    files = {name for name in names if BODY_FILE.fullmatch(name)}
    prefix = f"{BODIES}/{folder.name}/"
    with rows.failures():
        orphans = files - rows.file_names(prefix)
    if orphans:
        with rows.exclusive():  # so that nobody is between moving a file to its place and committing its row
            for name in orphans - rows.file_names(prefix):
                rows.disk.remove(name)


class Sweeper:
    """A thread that sweeps once, some seconds after the start, and never for long at a time."""

    def __init__(self, sweep_all: Callable[[Callable[[], bool]], None]) -> None:
        """Call `sweep_all` with what it has to call between two steps."""
        self._sweep_all = sweep_all
        self._stopped = Event()
        self._thread: Thread | None = Thread(target=self._run, name="store-sweeper", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads: the next start sweeps
            self._thread = None

    def stop(self) -> None:
        """End the sweeping, wherever it is."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        if self._stopped.wait(_QUIET):
            return
        try:
            self._sweep_all(lambda: not self._stopped.wait(_PAUSE))
        except StoreError as error:
            logger.warning("what killed processes left was not swept: %s", error)
