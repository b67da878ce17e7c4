"""The generation table's file beside a store: its header, when it can be believed, and how it is made anew.

A file that is cut short under a memory map kills the process, and so does a hole that cannot be filled on a full disk.
So its octets are allocated before it is mapped, it is never shortened, and a new one takes the place of one in doubt.
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
from cache.stores.generations import HEADER_SIZE, SLOTS, TABLE_SIZE, Generations

logger = logging.getLogger(__name__)

FILE = "generations"

_VERSION = 1
_HEADER = struct.Struct("<16sII36s?")  # magic, version, slots, the machine's boot, closed cleanly
_MAGIC = b"second generatns"
_CLEAN = slice(_HEADER.size - 1, _HEADER.size)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class GenerationFile:
    """The table of a store on disk."""

    def __init__(self, directory: Path, *, sole: bool, keys: Callable[[], Iterable[str]]) -> None:
        """Map the table, made of the store's `keys` where there is none that can be believed.

        Args:
            directory: the store's.
            sole: whether no other process has the store open, nor can before this returns.
            keys: returns the primary keys under which something is stored.

        Raises:
            StoreError: it is damaged and in use by another process.
            OSError: it cannot be made.
        """
        believed = _believed(directory / FILE, alone=sole)
        if not (believed or sole):
            raise StoreError(f"{directory / FILE} is damaged and in use by another process")
        self._memory = believed or _new_memory(directory / FILE)
        self.generations = Generations(self._memory)
        if not believed:
            self.generations.add(keys())
        if sole:  # only now: a table that was not finished must not be believed
            self._memory[: _HEADER.size] = _HEADER.pack(_MAGIC, _VERSION, SLOTS, _boot(), False)

    def say_clean(self) -> None:
        """Write the table to the disk and say so, for a process that has the store open alone."""
        self._memory.flush()
        self._memory[_CLEAN] = b"\1"
        self._memory.flush(0, HEADER_SIZE)

    def close(self) -> None:
        """Let go of the table; harmless when repeated."""
        if not self._memory.closed:
            self.generations.detach()


def _believed(path: Path, *, alone: bool) -> mmap.mmap | None:
    """Map an existing table, or return None if there is none to believe."""
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
        # A power failure loses pages of the table that the database's log still has
        if (magic, version, slots) != (_MAGIC, _VERSION, SLOTS) or not (boot == _boot() != b"" or (alone and clean)):
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
    os.posix_fallocate(descriptor, 0, TABLE_SIZE)
    return mmap.mmap(descriptor, TABLE_SIZE)


def _boot() -> bytes:
    """Return what names the machine's present run, or nothing where the system does not say."""
    try:
        return _BOOT_ID.read_bytes().strip()[:36].ljust(36, b"\0")
    except OSError:
        return b""
