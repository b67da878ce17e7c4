"""Spool files: bodies that are being written and are too large for memory.

A writer holds a lock on its file until it closes it, so a file without a lock was left by a process that is dead.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

SPOOL_DIRECTORY = "spool"
"""Name of the directory for spool files."""


class Spool:
    """A new spool file in a directory. Creating, writing and moving it may raise OSError."""

    def __init__(self, directory: Path) -> None:
        self.length = 0
        self._descriptor = -1
        self._path, self._descriptor = _locked_file(directory)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append all bytes. If this fails, `length` shows how many were written."""
        remaining = memoryview(chunk)
        while remaining:
            written = os.write(self._descriptor, remaining)
            self.length += written
            remaining = remaining[written:]

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive) of those written."""
        chunks = []
        while start < stop and (chunk := os.pread(self._descriptor, stop - start, start)):
            chunks.append(chunk)
            start += len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def modified(self) -> int:
        """Return the time of the last write, in nanoseconds since the epoch."""
        return os.fstat(self._descriptor).st_mtime_ns

    def move(self, path: Path) -> None:
        """Move the file to its final path. It is not synced: after a power failure, the digest shows a loss."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.rename(path)
        self._path = path

    def close(self) -> None:
        """Close the file without removing it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def discard(self) -> None:
        """Close the file and remove it, if possible, also after `move`."""
        with suppress(OSError):
            self._path.unlink()
        self.close()


def sweep_spools(directory: Path) -> None:
    """Remove the spool files of dead processes. Raises OSError if the directory cannot be listed."""
    for path in directory.iterdir():
        with suppress(OSError):  # its writer has just moved or removed it, or it is not a spool file
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)  # BlockingIOError: its writer is alive
                path.unlink()
            finally:
                os.close(descriptor)


def _locked_file(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / secrets.token_hex(16)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            flock(descriptor, LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # 0 if `sweep_spools` removed the file before it was locked
                return path, descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
