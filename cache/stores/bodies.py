"""Stored bodies, open for reading: octets in memory, or a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import FileIO

from cache.stores.base import DamagedEntry, StoreError


class BytesBody:
    """A body held in memory."""

    descriptor: int | None = None
    """There is no file."""

    def __init__(self, octets: bytes) -> None:
        self.length = len(octets)
        self._octets = octets

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive). Raises DamagedEntry if there are fewer."""
        if stop > self.length:
            raise DamagedEntry(f"octets {start} to {stop} of a body of {self.length}")
        return self._octets[start:stop]

    def close(self) -> None:
        """Do nothing: memory lets go of itself."""


class FileBody:
    """A body in a file. The open descriptor outlives the file's name, so deletion does not disturb a reader."""

    def __init__(self, file: FileIO, damaged: Callable[[], None]) -> None:
        """Take over `file`; `damaged` is called before a short read raises DamagedEntry."""
        self.length = os.fstat(file.fileno()).st_size
        self._file = file
        self._damaged = damaged

    @property
    def descriptor(self) -> int:
        """The open file."""
        return self._file.fileno()

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive).

        Raises:
            DamagedEntry: there are fewer.
            StoreError: the file cannot be read.
        """
        chunks = []
        position = start
        while position < stop:
            try:
                chunk = os.pread(self._file.fileno(), stop - position, position)
            except OSError as error:
                raise StoreError(f"a stored body cannot be read: {error}") from error
            if not chunk:
                self._damaged()
                raise DamagedEntry(f"a stored body ends at octet {position}, expected {stop}")
            chunks.append(chunk)
            position += len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
