"""Where recordings are: each in a directory of its own on one shelf, as a store that has no limit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from cache.stores.base import StoreError
from cache.stores.disk.full_disk import RESERVE
from cache.stores.disk.store import DiskStore

UNLIMITED = 1 << 62
"""Octets that no store ever holds: nothing is evicted from a recording."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RecordingError(StoreError):
    """What was asked of a recording cannot be done. The text says why."""


class NoNameError(RecordingError):
    """No recording can have such a name."""


class NoRecordingError(RecordingError):
    """There is no recording of that name."""


class RecordingLibrary:
    """The recordings in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of all recordings, in order."""
        if not self._folder.is_dir():
            return []
        return sorted(each.name for each in self._folder.iterdir() if _NAME.fullmatch(each.name) and each.is_dir())

    def path(self, name: str) -> Path:
        """Return the directory of a recording, there or not. Raises NoNameError."""
        if not _NAME.fullmatch(name):
            raise NoNameError(f'expected a name of letters, digits and "-", "_", ".", found "{name}"')
        return self._folder / name

    def existing(self, name: str) -> Path:
        """Return the directory of a recording. Raises NoNameError and NoRecordingError."""
        path = self.path(name)
        if not path.is_dir():
            known = ", ".join(self.names()) or f"none, secondhand run --record {name} -- COMMAND makes one"
            raise NoRecordingError(f"there is no recording {name}; recordings: {known}")
        return path

    @contextmanager
    def opened(self, name: str) -> Iterator[DiskStore]:
        """Open a recording that exists. Raises RecordingError and StoreError."""
        store = PinnedStore(self.existing(name))
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def made(self, name: str, *, instead: bool = False) -> Iterator[DiskStore]:
        """Make a recording: all of it when the block ends, nothing if it fails.

        Args:
            name: How it is to be called.
            instead: It takes the place of the one of that name, of which no octet is left.

        Raises:
            RecordingError: there is one of that name already.
            StoreError: it cannot be made.
        """
        path = self.path(name)
        if path.exists() and not instead:
            raise RecordingError(f"there is a recording {name} already: remove it, or choose another name")
        draft = self._folder / f".{name}-{token_hex(4)}"  # begins with a dot: no recording's name
        try:
            store = PinnedStore(draft)
            try:
                yield store
            finally:
                store.close()
            if instead:
                old = self._folder / f".{name}-{token_hex(4)}"
                path.rename(old)
                try:
                    draft.rename(path)
                except OSError:
                    old.rename(path)
                    raise
                shutil.rmtree(old)
            else:
                draft.rename(path)
        except OSError as error:
            raise RecordingError(f"the recording {name} cannot be made: {error}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Delete a recording. Raises RecordingError if there is none, or it cannot be deleted."""
        gone = self._folder / f".{name}-{token_hex(4)}"
        try:
            self.existing(name).rename(gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise RecordingError(f"the recording {name} cannot be removed: {error}") from error


class PinnedStore(DiskStore):
    """A store on disk from which nothing is ever evicted: where the disk is full, nothing more is stored."""

    def __init__(self, directory: Path) -> None:
        """Open the store, made if it is not there. Raises StoreError."""
        super().__init__(directory, UNLIMITED)
        (directory / RESERVE).unlink(missing_ok=True)  # what others need to make room

    def make_room(self) -> bool:
        """Delete nothing."""
        return False
