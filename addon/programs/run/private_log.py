"""The log of a private proxy, saved for the user after the command has ended."""

from __future__ import annotations

import os
import re
from pathlib import Path

LOG_NAME = "run.log"

_PREFIX = re.compile(r"^\S+ \S+ [A-Z]+ [\w.]+: |^secondhand: ", re.MULTILINE)

_WARNING = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) ", re.MULTILINE)


def has_warnings(log: str) -> bool:
    """Return whether a log has a line of level WARNING or above."""
    return _WARNING.search(log) is not None


def messages_only(log: str) -> str:
    """Return a log without the time, level and logger of each line."""
    return _PREFIX.sub("", log)


def save_log(log: str, directory: Path) -> Path:
    """Write a log into the store's directory, in place of that of the run before. Return its path. Raises OSError."""
    path = directory / LOG_NAME
    draft = directory / f".{LOG_NAME}-{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{log}\n")
    draft.replace(path)
    return path
