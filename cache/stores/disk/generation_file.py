"""The file of a store's generation table: its header, the check whether it is valid, and how it is rebuilt.

If a mapped file is truncated, or has a hole that a full disk cannot fill, access to it kills the process. So the whole
file is allocated before it is mapped, it is never truncated, and an invalid file is replaced by a new one.
"""

from __future__ import annotations

import logging
import mmap
import os
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from cache.stores.base import StoreError
from cache.stores.disk.allocation import allocate
from cache.stores.generations import HEADER_SIZE, SLOTS, TABLE_SIZE, Generations

logger = logging.getLogger(__name__)

FILE = "generations"
"""Name of the file in the store's directory."""

_VERSION = 2
_HEADER = struct.Struct("<16sII36s?")  # magic, version, slots, boot id, closed cleanly
_MAGIC = b"second generatns"
_CLEAN = slice(_HEADER.size - 1, _HEADER.size)
_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class GenerationFile:
    """The generation table of a store on disk."""

    def __init__(self, directory: Path, *, sole_user: bool, keys: Callable[[], Iterable[str]]) -> None:
        """Map the file, or rebuild it from the store's keys if it is missing or invalid.

        Args:
            directory: the store's directory.
            sole_user: whether no other process has the store open, nor can open it before this returns.
            keys: returns the primary keys under which something is stored.

        Raises:
            StoreError: the file is invalid and another process has the store open.
            OSError: the file cannot be created.
        """
        valid = _valid_memory(directory / FILE, sole_user=sole_user)
        if not (valid or sole_user):
            raise StoreError(f"{directory / FILE} is damaged and in use by another process")
        self._memory = valid or _new_memory(directory / FILE)
        self.generations = Generations(self._memory)
        if not valid:
            self.generations.add(keys())
        if sole_user:  # last, so that an unfinished table never has a valid header
            self._memory[: _HEADER.size] = _HEADER.pack(_MAGIC, _VERSION, SLOTS, _boot_id(), False)

    def mark_clean(self) -> None:
        """Write the table to the disk and mark it as closed cleanly. Only for the sole user of the store."""
        self._memory.flush()
        self._memory[_CLEAN] = b"\1"
        self._memory.flush(0, HEADER_SIZE)

    def close(self) -> None:
        """Unmap the file. May be called again."""
        if not self._memory.closed:
            self.generations.detach()


def _valid_memory(path: Path, *, sole_user: bool) -> mmap.mmap | None:
    """Map an existing file, or return None if it is missing or invalid."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if status.st_size != TABLE_SIZE or status.st_uid != os.geteuid() or status.st_nlink != 1:
            return None
        header = os.pread(descriptor, _HEADER.size, 0)
        magic, version, slots, boot, clean = _HEADER.unpack(header)
        # After a power failure, the table may lack pages while the database's log has the changes
        trusted = boot == _boot_id() != b"" or (sole_user and clean)
        if (magic, version, slots) != (_MAGIC, _VERSION, SLOTS) or not trusted:
            return None
        return _mapped(descriptor)
    except OSError as error:
        logger.warning("%s cannot be used: %s", path, error)
        return None
    finally:
        os.close(descriptor)


def _new_memory(path: Path) -> mmap.mmap:
    with suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        return _mapped(descriptor)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


def _mapped(descriptor: int) -> mmap.mmap:
    os.fchmod(descriptor, 0o600)
    allocate(descriptor, TABLE_SIZE)
    return mmap.mmap(descriptor, TABLE_SIZE)


def _boot_id() -> bytes:
    """Return the id of the machine's current boot, or b"" if the system has none."""
    try:
        return _BOOT_ID_FILE.read_bytes().strip()[:36].ljust(36, b"\0")
    except OSError:
        return b""
