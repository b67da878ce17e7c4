"""Open and close the directory of a disk store: make it private, and replace a damaged database."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path

import diskcache
from diskcache.core import DBNAME

from cache.stores.base import StoreError
from cache.stores.disk.bytes_disk import BODIES
from cache.stores.disk.generation_file import GenerationFile
from cache.stores.disk.rows import FOUND_DAMAGED, Rows
from cache.stores.disk.spool import SPOOL_DIRECTORY, sweep_spools

logger = logging.getLogger(__name__)

_DATABASE_FILES = (DBNAME, f"{DBNAME}-wal", f"{DBNAME}-shm")
# SQLite's codes for a disk or file that cannot be used. Any other error on opening means that the file is damaged
_UNUSABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


class _DamageError(Exception):
    """The database is damaged."""


class InUseLock:
    """A shared lock that shows other processes that the database is in use, until it is closed."""

    def __init__(self, directory: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(directory / "in-use", flags, 0o600)
        flock(self._descriptor, LOCK_SH)

    def is_sole_holder(self) -> bool:
        """Return whether no other process has the database open. Call it only while the directory is locked."""
        if self._descriptor < 0:
            return False
        try:
            flock(self._descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            flock(self._descriptor, LOCK_SH)  # an attempt that fails has lost the shared lock (flock(2))
        return True

    def close(self) -> None:
        """Release the lock. May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_no_store(directory: Path) -> bool:
    """Return whether the path does not exist or is a directory without a store. Opening it would create a store."""
    return not directory.exists() or (directory.is_dir() and not Path(directory, DBNAME).exists())


def open_rows(directory: Path, lock_timeout: float) -> tuple[Rows, InUseLock, GenerationFile]:
    """Open the database in a directory, which is created if missing, and remove the spool files of dead processes.

    Raises:
        StoreError: the directory belongs to another user or cannot be used.
    """
    with _locked_directory(directory):
        in_use_lock = InUseLock(directory)
        try:
            rows = _rows(directory, lock_timeout, in_use_lock)
            try:
                with rows.failures():
                    table = GenerationFile(directory, sole_user=in_use_lock.is_sole_holder(), keys=rows.keys)
                    return rows, in_use_lock, table
            except BaseException:
                rows.close_all()
                raise
        except BaseException:
            in_use_lock.close()
            raise


def close_rows(directory: Path, rows: Rows, in_use_lock: InUseLock, table: GenerationFile) -> None:
    """Close what `open_rows` returned. May be called again."""
    rows.close_all()
    with suppress(OSError):  # another process opens or closes the store, so this one is not its sole user
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            if in_use_lock.is_sole_holder():
                table.mark_clean()
        finally:
            os.close(descriptor)
    table.close()
    in_use_lock.close()


@contextmanager
def _locked_directory(directory: Path) -> Iterator[None]:
    """Create the directory, restrict it to this user, and keep other processes from opening it until the block ends."""
    if os.path.expandvars(directory) != str(directory):
        raise StoreError(f"the store's path {directory} holds a variable, which diskcache would expand")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
        if status.st_uid != os.geteuid():
            raise StoreError(f"the store's directory {directory} belongs to another user (uid {status.st_uid})")
        directory.chmod(status.st_mode & 0o700)
        make_subdirectories(directory)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flock(descriptor, LOCK_EX)
            yield
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the store's directory {directory} cannot be used: {getattr(error, 'strerror', None) or error}"
        ) from error


def make_subdirectories(directory: Path) -> None:
    """Create the directories for bodies that are missing. Raises OSError."""
    for name in (BODIES, SPOOL_DIRECTORY):
        (directory / name).mkdir(mode=0o700, exist_ok=True)


def _rows(directory: Path, lock_timeout: float, in_use_lock: InUseLock) -> Rows:
    """Open the database. If it is damaged, replace it, unless another process has it open."""
    try:
        if (directory / FOUND_DAMAGED).exists():
            raise _DamageError("it was found malformed while in use")
        return _opened_rows(directory, lock_timeout)
    except _DamageError as error:
        # A process that closes the old database would remove the write-ahead log of the new one
        if not in_use_lock.is_sole_holder():
            raise StoreError(f"the store in {directory} is damaged and in use by another process: {error}") from error
        _rename_damaged(directory)
        logger.warning(
            "the store in %s was damaged and starts empty (%s); the damaged database is kept as damaged-%s",
            directory,
            error,
            DBNAME,
        )
    try:
        return _opened_rows(directory, lock_timeout)
    except _DamageError as error:
        raise StoreError(f"the store in {directory} cannot be created again: {error}") from error


def _opened_rows(directory: Path, lock_timeout: float) -> Rows:
    """Open the database. Raises StoreError if it cannot be used, _DamageError if it is damaged."""
    _make_private(directory / DBNAME)
    try:
        rows = Rows(directory, lock_timeout)
        try:
            with rows.failures():
                sweep_spools(directory / SPOOL_DIRECTORY)
            rows.recount_file_bytes()
        except BaseException:
            rows.close_all()
            raise
        return rows
    except (sqlite3.Error, diskcache.Timeout, StoreError) as error:
        cause = error.__cause__ if isinstance(error, StoreError) else error
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if isinstance(cause, OSError | diskcache.Timeout) or code & 0xFF in _UNUSABLE:
            raise StoreError(f"the store in {directory} cannot be opened: {cause or error}") from error
        raise _DamageError(str(cause)) from error
    except (TypeError, ValueError, AttributeError, AssertionError) as error:
        raise _DamageError(str(error)) from error  # diskcache obeys any setting in the database


def _make_private(database: Path) -> None:
    # SQLite would create a file that others can read, and gives its other files the mode of this one. An existing file
    # must not be opened here: closing it would release the locks of this process on it.
    with suppress(FileExistsError):
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    database.chmod(database.stat().st_mode & 0o600)


def _rename_damaged(directory: Path) -> None:
    """Rename a damaged database. One that was renamed earlier is removed."""
    for name in _DATABASE_FILES:
        (directory / f"damaged-{name}").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            (directory / name).rename(directory / f"damaged-{name}")
    (directory / FOUND_DAMAGED).unlink(missing_ok=True)
