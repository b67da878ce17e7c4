"""Temporary files, on systems that have no place for them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path


def use_for_temporary_files(directory: Callable[[], Path]) -> None:
    """Make temporary files in a directory from now on if there is no other place that can be written.

    Raises:
        OSError: neither can that directory.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folder = directory()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.tempdir = str(folder)
