"""Eviction of the least recently used entries when the disk is full before the store is."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cache.stores.base import StoreError
from cache.stores.disk.allocation import allocate
from cache.stores.disk.entry_transaction import EntryTransaction
from cache.stores.disk.purge_table import PurgeTable
from cache.stores.disk.row_transaction import row_transaction
from cache.stores.disk.rows import Rows
from cache.stores.generations import Generations

logger = logging.getLogger(__name__)

RESERVE = "reserve"
"""Name of a file that only reserves space on the disk."""
RESERVE_SIZE = 8 << 20
"""Bytes: more than the usual size of the database's log."""

_SHARE = 8
"""One part in this many is evicted at a time, so that it does not happen at each write."""
_MAX_FREED = 256 << 20
"""Bytes that are evicted at a time at most, so that it does not take minutes."""


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or its cause, means that the disk is full."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return error is not None and is_full(error.__cause__)


class FullDisk:
    """Makes room in one store. It holds a reserve of space, since a deletion needs space itself."""

    def __init__(
        self,
        directory: Path,
        rows: Rows,
        generations: Generations,
        purges: PurgeTable,
        last_use: Callable[[str], float],
    ) -> None:
        """Make room in the store in `directory`; `last_use` returns the last use of an entry."""
        self.evictions = 0
        self._reserve = directory / RESERVE
        self._rows = rows
        self._generations = generations
        self._purges = purges
        self._last_use = last_use
        self._failing = False
        self._allocate_reserve()

    def make_room(self) -> int | None:
        """Evict an eighth of the store, or _MAX_FREED bytes if that is less.

        Returns:
            How many bytes the store can use from now on; None if nothing could be evicted.
        """
        with suppress(OSError):
            self._reserve.unlink()
        try:
            return self._evict()
        except StoreError as error:
            self._say_once(str(error))
            return None
        finally:
            self._allocate_reserve()

    def _evict(self) -> int | None:
        in_use = self._bytes_in_use()
        goal = in_use - max(min(in_use // _SHARE, _MAX_FREED), min(in_use // 2, RESERVE_SIZE))
        count = evicted = 0
        while self._bytes_in_use() > goal:
            with row_transaction(self._rows, self._generations, self._purges) as changes:
                evicted = EntryTransaction(self._rows, changes, last_use=self._last_use).evict(goal)
            if not evicted:
                break
            count += evicted
        self.evictions += count
        if not count:
            self._say_once("nothing is stored")
            return None
        self._failing = False
        logger.warning("the disk is full: %d responses were deleted, to use no more than %d bytes", count, goal)
        return goal

    def _bytes_in_use(self) -> int:
        with self._rows.failures():
            self._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # else log and database hold the same pages twice
            return self._rows.bytes_in_use()

    def _say_once(self, reason: str) -> None:
        """Log that nothing could be deleted, unless that was the last thing logged."""
        if not self._failing:
            logger.warning("the disk is full, and nothing could be deleted: %s", reason)
        self._failing = True

    def _allocate_reserve(self) -> None:
        try:
            descriptor = os.open(self._reserve, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                allocate(descriptor, RESERVE_SIZE)
            finally:
                os.close(descriptor)
        except OSError:  # not enough space for a reserve
            with suppress(OSError):
                self._reserve.unlink()
