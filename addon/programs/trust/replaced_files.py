"""Files that other programs read while they are written anew."""

from __future__ import annotations

from pathlib import Path

READABLE, EXECUTABLE = 0o644, 0o755
"""Permissions: apt reads its file as another user, and a command is run by any."""


def replace_file(file: Path, data: bytes, permissions: int = READABLE) -> None:
    """Replace a file atomically: a program that reads it meanwhile gets the old or the new one. Raises OSError."""
    draft = file.with_name(f".{file.name}-draft")
    draft.write_bytes(data)
    draft.chmod(permissions)
    draft.replace(file)
