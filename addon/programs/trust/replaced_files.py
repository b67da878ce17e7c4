"""Files that other programs read while they are written anew."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

READABLE, EXECUTABLE = 0o644, 0o755
"""Permissions: apt reads its file as another user, and a command is run by any."""


def replace_file(file: Path, data: bytes, permissions: int = READABLE) -> None:
    """Replace a file atomically: a program that reads it meanwhile gets the old or the new one. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)  # several processes may write at once
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
        draft.chmod(permissions)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
