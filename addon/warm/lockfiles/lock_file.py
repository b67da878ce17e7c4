"""A lock file that the user named, and what its reader needs to find the URLs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from addon.offline.wanted import Read


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file, and the means to find what it does not contain."""

    path: Path
    read: Read
    """Fetches a document through the cache."""
    indexes: tuple[str, ...] = ()
    """URLs of indexes or repositories from the command line, for formats that name none."""
    is_alone: bool = False
    """No other file of its project may be read: whoever wrote it is not trusted to name files of this machine."""

    @property
    def folder(self) -> Path:
        """The folder of the project, which often has settings of its package manager.

        For a file that is alone it is the root folder, as no folder above that has settings either.
        """
        path = self.path.absolute()
        return Path(path.anchor) if self.is_alone else path.parent
