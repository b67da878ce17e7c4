"""Opening the directory of a disk store: ours alone, one opener at a time, a damaged database set aside."""

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
from cache.stores.disk.spool import sweep_spools
from cache.stores.disk.sweep import SPOOLS, count_octets

logger = logging.getLogger(__name__)

_DATABASE_FILES = (DBNAME, f"{DBNAME}-wal", f"{DBNAME}-shm")
# What SQLite says of a disk that fails it; anything else it says on opening means that the file is damaged
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
    """The database cannot be read."""


class Claim:
    """Says to other processes that the database is in use, until it is closed."""

    def __init__(self, directory: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(directory / "in-use", flags, 0o600)
        flock(self._descriptor, LOCK_SH)

    def is_sole(self) -> bool:
        """Tell whether nobody else has the database open; nobody else can until the opening ends."""
        if self._descriptor < 0:
            return False
        try:
            flock(self._descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return False
        flock(self._descriptor, LOCK_SH)
        return True

    def close(self) -> None:
        """Give up the claim; harmless when repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_no_store(directory: Path) -> bool:
    """Tell whether there is nothing, or a directory that is no store: opening it would make one of it."""
    return not directory.exists() or (directory.is_dir() and not Path(directory, DBNAME).exists())


def open_rows(directory: Path, lock_timeout: float) -> tuple[Rows, Claim, GenerationFile]:
    """Open the database in a directory, which is made if missing, and remove dead writers' spool files.

    Raises:
        StoreError: the directory is someone else's or cannot be used.
    """
    with _opening(directory):
        claim = Claim(directory)
        try:
            rows = _rows(directory, lock_timeout, claim)
            try:
                with rows.failures():
                    return rows, claim, GenerationFile(directory, sole=claim.is_sole(), keys=rows.keys)
            except BaseException:
                rows.close_all()
                raise
        except BaseException:
            claim.close()
            raise


def close_rows(directory: Path, rows: Rows, claim: Claim, table: GenerationFile) -> None:
    """Let go of what `open_rows` returned; harmless when repeated."""
    rows.close_all()
    with suppress(OSError):  # another process opens or closes it: nobody is alone
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            if claim.is_sole():
                table.say_clean()
        finally:
            os.close(descriptor)
    table.close()
    claim.close()


@contextmanager
def _opening(directory: Path) -> Iterator[None]:
    """Make a directory ours alone, and hold off other openers until the block ends."""
    if os.path.expandvars(directory) != str(directory):
        raise StoreError(f"the store's path {directory} holds a variable; diskcache would look elsewhere")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
        if status.st_uid != os.geteuid():
            raise StoreError(f"the store's directory {directory} belongs to another user (uid {status.st_uid})")
        directory.chmod(status.st_mode & 0o700)
        for name in (BODIES, SPOOLS):
            (directory / name).mkdir(mode=0o700, exist_ok=True)
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


def _rows(directory: Path, lock_timeout: float, claim: Claim) -> Rows:
    try:
        if (directory / FOUND_DAMAGED).exists() and claim.is_sole():
            raise _DamageError("it was found malformed while in use")
        return _rows_at_rest(directory, lock_timeout)
    except _DamageError as error:
        # Whoever has the old file open would remove the new one's write-ahead log on closing it
        if not claim.is_sole():
            raise StoreError(f"the store in {directory} is damaged and in use by another process: {error}") from error
        _set_aside(directory)
        logger.warning("the store in %s was damaged and begins anew (%s); damaged-%s is left", directory, error, DBNAME)
    try:
        return _rows_at_rest(directory, lock_timeout)
    except _DamageError as error:
        raise StoreError(f"the store in {directory} cannot be made anew: {error}") from error


def _rows_at_rest(directory: Path, lock_timeout: float) -> Rows:
    _make_private(directory / DBNAME)
    try:
        rows = Rows(directory, lock_timeout)
        try:
            with rows.failures():
                sweep_spools(directory / SPOOLS)
            count_octets(rows)
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
        raise _DamageError(str(error)) from error  # diskcache obeys the settings it finds, whatever they break


def _make_private(database: Path) -> None:
    # SQLite would let others read it, and gives its other files the mode of this one. An existing one must not
    # be opened here: closing it would drop the locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    database.chmod(database.stat().st_mode & 0o600)


def _set_aside(directory: Path) -> None:
    """Rename a damaged database, in place of one renamed before."""
    for name in _DATABASE_FILES:
        (directory / f"damaged-{name}").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            (directory / name).rename(directory / f"damaged-{name}")
    (directory / FOUND_DAMAGED).unlink(missing_ok=True)
