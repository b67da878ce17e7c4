"""Recognises that the store in a directory is not the one any more that a process has open."""

from __future__ import annotations

from pathlib import Path

from diskcache.core import DBNAME

from cache.stores.disk.generation_file import FILE
from cache.stores.disk.rows import FOUND_DAMAGED


class StoreIdentity:
    """The files of a store that is open. Files that are removed stay usable for a process that has them open."""

    def __init__(self, directory: Path) -> None:
        """Note which files the store in `directory` consists of now. Raises OSError."""
        self._damage_marker = directory / FOUND_DAMAGED
        self._files = {path: _identity(path) for path in (directory, directory / DBNAME, directory / FILE)}

    def problem(self) -> str | None:
        """Return why the store must be opened again, or None."""
        for path, identity in self._files.items():
            try:
                if _identity(path) != identity:
                    return f"{path} was replaced"
            except FileNotFoundError:
                return f"{path} was removed"
            except OSError as error:
                return f"{path} cannot be accessed: {error.strerror}"
        return f"the database in {self._damage_marker.parent} is damaged" if self._damage_marker.exists() else None


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
