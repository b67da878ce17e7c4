"""A new file system for each measurement: ext4 stays slow for a while after many files were deleted on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench.server_settings import find_program

SIZE = 48 << 30
"""Bytes. The file behind it is sparse: it takes only what is written."""


@contextmanager
def fresh_file_system(folder: Path) -> Iterator[Path]:
    """Yield a new file system, mounted in a folder; without root, which is needed to mount it, the folder itself.

    Raises MissingProgram.
    """
    if os.geteuid() != 0:
        yield folder
        return
    image, mounted = folder / "file-system", folder / "mounted"
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run([find_program("mkfs.ext4", "e2fsprogs"), "-q", "-E", "lazy_itable_init=0", image], check=True)
    mounted.mkdir()
    subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "--lazy", mounted], check=True)
