"""A body while it is being received: in memory while it is small, then in a file that has no name."""

from __future__ import annotations

import os
import tempfile
from io import FileIO
from threading import Lock

from cache.stores.base import StoreError

IN_MEMORY = 262_144
"""Bytes up to which a body stays in memory."""


class Spool:
    """Bytes that are appended, and read at any position. Nothing is left of them when the process ends."""

    def __init__(self) -> None:
        self.length = 0
        self._lock = Lock()
        self._buffer: bytearray | None = bytearray()
        self._file: FileIO | None = None

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StoreError if the disk takes none."""
        with self._lock:
            if self._buffer is None and self._file is None:
                raise StoreError("the body was released")
            try:
                self._append(chunk)
            except OSError as error:
                place = tempfile.gettempdir()
                raise StoreError(f"the body cannot be written in {place}: {error.strerror}") from error
            self.length += len(chunk)

    def _append(self, chunk: bytes) -> None:
        if self._buffer is not None:
            self._buffer += chunk
            if len(self._buffer) <= IN_MEMORY:
                return
            with tempfile.TemporaryFile(buffering=0, prefix="secondhand-") as file:
                self._file = FileIO(os.dup(file.fileno()), "r+")
            chunk, self._buffer = bytes(self._buffer), None
        rest = memoryview(chunk)
        while rest and self._file is not None:
            rest = rest[self._file.write(rest) or 0 :]

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive). Raises StoreError if there are fewer."""
        with self._lock:
            if self._buffer is not None:
                data = bytes(self._buffer[start:stop])
            elif self._file is not None:
                data = self._from_file(start, stop)
            else:
                data = b""
        if len(data) != stop - start:
            raise StoreError(f"bytes {start} to {stop} do not exist")
        return data

    def _from_file(self, start: int, stop: int) -> bytes:
        parts = []
        try:
            while self._file and start < stop and (part := os.pread(self._file.fileno(), stop - start, start)):
                parts.append(part)
                start += len(part)
        except OSError as error:
            raise StoreError(f"the body cannot be read back: {error.strerror}") from error
        return b"".join(parts)

    def release(self) -> None:
        """Forget the bytes. May be called again."""
        with self._lock:
            file, self._file, self._buffer = self._file, None, None
        if file is not None:
            file.close()
