"""A disk that is full before the store is: what was not used for longest makes room for what comes."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from cache.stores.base import StoreError
from cache.stores.disk.editing import Editing
from cache.stores.disk.rows import Rows
from cache.stores.disk.transaction import transaction
from cache.stores.generations import Generations

logger = logging.getLogger(__name__)

RESERVE = "reserve"
"""A file of no content that takes up room on the disk."""
RESERVE_SIZE = 8 << 20
"""Octets: more than the database's log usually is."""

_SHARE = 8
"""One part in so many goes at a time, so that it does not happen at every store."""


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or what it came of, says that there is no more room on the disk."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return error is not None and is_full(error.__cause__)


class FullDisk:
    """Makes room in one store. A reserve is set aside, since even a deletion has to be written first."""

    def __init__(self, directory: Path, rows: Rows, generations: Generations) -> None:
        self._reserve = directory / RESERVE
        self._rows = rows
        self._generations = generations
        self._set_aside()

    def make_room(self) -> int | None:
        """Delete an eighth of what there is.

        Returns:
            How many octets there is room for, as far as is known now; None if nothing could be deleted.
        """
        with suppress(OSError):
            self._reserve.unlink()
        try:
            return self._evict()
        except StoreError as error:
            logger.warning("the disk is full, and nothing could be deleted: %s", error)
            return None
        finally:
            self._set_aside()

    def _evict(self) -> int | None:
        with self._rows.failures():
            in_use = self._rows.octets_in_use()
            self._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log and the database need room for the same
        goal = in_use - max(in_use // _SHARE, min(in_use // 2, RESERVE_SIZE))
        with transaction(self._rows, self._generations) as changes:
            count = Editing(self._rows, changes).evict(goal)
        logger.warning("the disk is full: %d responses were deleted, to use no more than %d octets", count, goal)
        return goal if count else None

    def _set_aside(self) -> None:
        try:
            descriptor = os.open(self._reserve, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_SIZE)
            finally:
                os.close(descriptor)
        except OSError:  # too little room for that, too
            with suppress(OSError):
                self._reserve.unlink()
