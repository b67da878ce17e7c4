"""The values that diskcache may write to a row or read from it: bytes and body files. Never a pickle."""

from __future__ import annotations

import errno
import os
import re
import secrets
from contextlib import suppress
from io import FileIO
from pathlib import Path

import diskcache
from diskcache.core import MODE_BINARY, MODE_RAW

from cache.stores.base import StoreError
from cache.stores.disk.spool import Spool

BODIES = "bodies"
"""Name of the directory for body files."""
BODY_FILE = re.compile(BODIES + r"/[0-9a-f]{2}/[0-9a-f]{30}\.val")
"""Path of a body file, relative to the store's directory."""


class RowError(ValueError):
    """The row was not written by this store."""


class BytesDisk(diskcache.Disk):  # type: ignore[misc] # diskcache has no types
    """Serialisation for diskcache: a row holds bytes or the name of a body file."""

    def put(self, key: object) -> tuple[str, bool]:
        """Return a key in its stored form."""
        if type(key) is not str:
            raise RowError(f"expected a str as key, found {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """Return the key for its stored form."""
        if type(key) is not str or raw != 1:
            raise RowError("the key is not text")
        return key

    def store(self, value: object, read: object, key: object = None) -> tuple[int, int, str | None, bytes | None]:  # noqa: ARG002 - diskcache's signature
        """Return the columns size, mode, filename and value. A spool file is moved to its final path."""
        if isinstance(value, Spool):
            name, path = self.filename()
            value.move(Path(path))
            return value.length, MODE_BINARY, name, None
        if type(value) is not bytes:
            raise RowError(f"expected bytes, found {type(value).__name__}")
        return 0, MODE_RAW, None, value

    def fetch(self, mode: object, filename: object, value: object, read: object) -> bytes | FileIO:  # noqa: ARG002 - diskcache's signature
        """Return the bytes of a row, or its file, opened.

        Raises:
            RowError: the row holds anything else.
            OSError: the file does not exist; diskcache treats this as a miss.
            StoreError: the file cannot be opened for another reason.
        """
        if mode == MODE_RAW and filename is None and type(value) is bytes:
            return value
        if mode != MODE_BINARY or value is not None:
            raise RowError(f"a row of mode {mode!r}")
        path = self._path(filename)
        try:
            return FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            raise StoreError(f"{path} cannot be opened: {error.strerror}") from error

    def filename(self, *_: object) -> tuple[str, str]:
        """Return a new file name and its full path, in one of 256 subdirectories, which are never removed."""
        name = secrets.token_hex(16)
        name = f"{BODIES}/{name[:2]}/{name[2:]}.val"
        return name, str(self._path(name))

    def remove(self, file_path: object) -> None:
        """Remove a body file. Do nothing if the name is not that of a body file."""
        with suppress(OSError, RowError):
            self._path(file_path).unlink()

    def _path(self, name: object) -> Path:
        if type(name) is not str or not BODY_FILE.fullmatch(name):
            raise RowError("the name of a body file was expected")
        return Path(self._directory) / name
