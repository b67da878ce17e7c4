"""The content of large hot responses in files without a name, from which the kernel sends it without copying it."""

from __future__ import annotations

import os
from contextlib import suppress

MAX_FILES = 256
"""Files that are open at a time; the content of other hot responses is sent from memory."""


class ContentFiles:
    """The files of all hot responses. A file is closed when nothing refers to it any more."""

    def __init__(self, max_files: int = MAX_FILES) -> None:
        self._left = max_files

    def make(self, content: bytes) -> ContentFile | None:
        """Return a new file with this content, or None if there are too many, or the system has no such files."""
        if self._left <= 0 or not hasattr(os, "memfd_create"):
            return None
        try:
            file = ContentFile(self)
        except OSError:
            return None
        with suppress(OSError):
            if os.write(file.descriptor, content) == len(content):
                return file
        return None

    def note_opened(self) -> None:
        """Count a file that was opened."""
        self._left -= 1

    def note_closed(self) -> None:
        """Count a file that was closed."""
        self._left += 1


class ContentFile:
    """A file in memory. It is closed with the last reference to it, so that what is being sent stays complete."""

    __slots__ = ("_files", "descriptor")

    def __init__(self, files: ContentFiles) -> None:
        """Open an empty file, counted in `files`. Raises OSError."""
        self.descriptor = os.memfd_create("secondhand-content", os.MFD_CLOEXEC)
        self._files = files
        files.note_opened()

    def __del__(self) -> None:
        if hasattr(self, "_files"):
            os.close(self.descriptor)
            self._files.note_closed()
