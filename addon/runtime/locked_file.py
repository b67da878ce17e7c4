"""Small files in the store's directory that several processes change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import BinaryIO


@contextmanager
def locked_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading and writing, while no other process has it open in this way.

    It is made if it does not exist, with access for this user only. Raises OSError, also for a symbolic link: that
    could lead to any file of this user.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        flock(file, LOCK_EX)
        yield file


def rewrite(file: BinaryIO, content: bytes) -> None:
    """Replace the whole content of an open file. Raises OSError."""
    file.seek(0)
    file.write(content)
    file.truncate()
