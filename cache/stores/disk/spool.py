"""Spool files: bodies on their way in that are too large for memory.

A writer holds a lock on its file for as long as it lives, so that a sweep tells its file from a dead writer's.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path


class Spool:
    """A new file of its own in a directory. Making it, writing and moving may raise OSError."""

    def __init__(self, directory: Path) -> None:
        self.length = 0
        self._descriptor = -1
        self._path, self._descriptor = _locked_file(directory)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append octets, all of them; `length` tells how many, if that fails."""
        remaining = memoryview(chunk)
        while remaining:
            written = os.write(self._descriptor, remaining)
            self.length += written
            remaining = remaining[written:]

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive) of those written."""
        chunks = []
        while start < stop and (chunk := os.pread(self._descriptor, stop - start, start)):
            chunks.append(chunk)
            start += len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def modified(self) -> int:
        """Return when the file was last written: nanoseconds since the epoch."""
        return os.fstat(self._descriptor).st_mtime_ns

    def move(self, path: Path) -> None:
        """Give the file its place. It is not synced: the digest tells what a power failure took."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.rename(path)
        self._path = path

    def close(self) -> None:
        """Keep the file and let go of it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def discard(self) -> None:
        """Remove the file, wherever it is by now, as far as that is possible."""
        with suppress(OSError):
            self._path.unlink()
        self.close()


def sweep_spools(directory: Path) -> None:
    """Remove what dead writers left in a directory. Raises OSError if it cannot be listed."""
    for path in directory.iterdir():
        with suppress(OSError):  # its writer has just moved or removed it, or it is none of ours
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)  # BlockingIOError: its writer lives
                path.unlink()
            finally:
                os.close(descriptor)


def _locked_file(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / secrets.token_hex(16)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            flock(descriptor, LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # else a sweep came between creation and lock
                return path, descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
