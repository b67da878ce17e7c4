"""Stored bodies that are open for reading: bytes in memory, or a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import FileIO

from cache.stores.base import DamagedEntry, StoreError


class BytesBody:
    """A body in memory."""

    descriptor: int | None = None
    """None: there is no file."""

    def __init__(self, data: bytes) -> None:
        self.length = len(data)
        self._data = data

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive). Raises DamagedEntry if there are fewer."""
        if stop > self.length:
            raise DamagedEntry(f"bytes {start} to {stop} of a body of {self.length}")
        return self._data[start:stop]

    def close(self) -> None:
        """Do nothing: there is no file to close."""


class FileBody:
    """A body in a file. It stays readable when the file is deleted, since the descriptor is open."""

    def __init__(self, file: FileIO, on_damage: Callable[[], None]) -> None:
        """Take over `file`. If it proves too short, `on_damage` is called before DamagedEntry is raised."""
        self.length = os.fstat(file.fileno()).st_size
        self._file = file
        self._on_damage = on_damage

    @property
    def descriptor(self) -> int:
        """Descriptor of the open file."""
        return self._file.fileno()

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive).

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
                self._on_damage()
                raise DamagedEntry(f"a stored body ends at byte {position}, expected {stop}")
            chunks.append(chunk)
            position += len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
