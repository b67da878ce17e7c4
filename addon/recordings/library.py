"""The library: a folder of recordings, each a store without a size limit in a directory of its own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from secrets import token_hex

from cache.stores.base import StoreError
from cache.stores.disk.directory import InUseLock
from cache.stores.disk.full_disk import RESERVE
from cache.stores.disk.store import DiskStore

UNLIMITED = 1 << 62
"""A size limit in bytes that no store ever reaches, so nothing is evicted from a recording."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""The names that a recording may have: they are names of folders."""

_TEMPORARY = "._temporary-"
"""The beginning of the names of temporary recordings, which the draft of no recording has."""


class RecordingError(StoreError):
    """An operation on a recording failed. The text tells why, in one line although it may quote a file."""

    def __init__(self, text: str) -> None:
        super().__init__("\\n".join(text.splitlines()))


class InvalidNameError(RecordingError):
    """The name is not valid for a recording."""


class RecordingNotFoundError(RecordingError):
    """There is no recording of that name."""


class RecordingLibrary:
    """All recordings in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of all recordings, sorted."""
        if not self._folder.is_dir():
            return []
        return sorted(each.name for each in self._folder.iterdir() if NAME.fullmatch(each.name) and each.is_dir())

    def described(self) -> list[dict[str, object]]:
        """Return the name of each recording, its number of responses, and its size in bytes. Raises StoreError."""
        found: list[dict[str, object]] = []
        for name in self.names():
            with self.opened(name) as recording:
                contents = recording.statistics()
            found.append({"name": name, "responses": contents.entries, "size": contents.size})
        return found

    def path(self, name: str) -> Path:
        """Return the directory of a recording, which need not exist. Raises InvalidNameError."""
        if not NAME.fullmatch(name):
            raise InvalidNameError(f'expected a name of letters, digits and "-", "_", ".", found "{name}"')
        return self._folder / name

    def existing(self, name: str) -> Path:
        """Return the directory of a recording that exists. Raises InvalidNameError and RecordingNotFoundError."""
        path = self.path(name)
        if not path.is_dir():
            existing = ", ".join(self.names()) or f"none; create one with: secondhand run --record {name} -- COMMAND"
            raise RecordingNotFoundError(f"there is no recording {name}; existing recordings: {existing}")
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
    def create(self, name: str, *, replace: bool = False) -> Iterator[DiskStore]:
        """Create a recording. It appears as a whole when the block ends, and not at all if the block fails.

        Args:
            name: The name of the recording.
            replace: Replace the existing recording of that name; all its files are deleted.

        Raises:
            RecordingError: the recording exists already and `replace` is false, or the file system fails.
            StoreError: the store cannot be created.
        """
        path = self.path(name)
        if path.exists() and not replace:
            raise RecordingError(f"the recording {name} already exists: remove it, or choose another name")
        draft = self._temporary_path(name)
        try:
            store = PinnedStore(draft)
            try:
                yield store
            finally:
                store.close()
            if replace:
                old = self._temporary_path(name)
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
            raise RecordingError(f"the recording {name} cannot be created: {error}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def temporary(self) -> Iterator[DiskStore]:
        """Open an empty recording that nobody lists. It is deleted at the end of the context.

        Those that killed processes have left are deleted, too. Raises RecordingError and StoreError.
        """
        directory = self._folder / f"{_TEMPORARY}{token_hex(4)}"
        try:
            try:
                with self._locked():  # so that no other process deletes it before it is marked as in use
                    self._delete_left_behind()
                    store = PinnedStore(directory)
            except OSError as error:
                raise RecordingError(f"a temporary recording cannot be created: {error}") from error
            try:
                yield store
            finally:
                store.close()
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from opening temporary recordings until the block ends. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flock(descriptor, LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _delete_left_behind(self) -> None:
        """Delete the temporary recordings that no process has open."""
        for directory in self._folder.glob(f"{_TEMPORARY}*"):
            with suppress(OSError):  # its process has just deleted it, or it is not a recording
                with closing(InUseLock(directory)) as lock:
                    is_left_behind = lock.is_sole_holder()
                if is_left_behind:
                    shutil.rmtree(directory)

    def remove(self, name: str) -> None:
        """Delete a recording. Raises RecordingError if it does not exist or cannot be deleted."""
        removed = self._temporary_path(name)
        try:
            self.existing(name).rename(removed)
            shutil.rmtree(removed)
        except OSError as error:
            raise RecordingError(f"the recording {name} cannot be removed: {error}") from error

    def _temporary_path(self, name: str) -> Path:
        # the dot at the beginning makes it an invalid recording name, so it is never listed
        return self._folder / f".{name}-{token_hex(4)}"


class PinnedStore(DiskStore):
    """A store on disk that never evicts. When the disk is full, it stores nothing more."""

    def __init__(self, directory: Path) -> None:
        """Open the store; create it if it does not exist. Raises StoreError."""
        super().__init__(directory, UNLIMITED)
        (directory / RESERVE).unlink(missing_ok=True)  # only a store that evicts needs this reserve

    def make_room(self) -> bool:
        """Delete nothing and return False."""
        return False
