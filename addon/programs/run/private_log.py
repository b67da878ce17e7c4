"""What a private proxy wrote down, kept where a person can read it once the command has ended."""

from __future__ import annotations

import os
import re
from pathlib import Path

NAME = "run.log"

_WHEN_AND_BY_WHOM = re.compile(r"^\S+ \S+ [A-Z]+ [\w.]+: |^secondhand: ", re.MULTILINE)

_GRAVE = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) ", re.MULTILINE)


def is_grave(said: str) -> bool:
    """Tell whether a person should read it."""
    return _GRAVE.search(said) is not None


def plain(said: str) -> str:
    """Return what it says without when and by whom."""
    return _WHEN_AND_BY_WHOM.sub("", said)


def keep(said: str, store: Path) -> Path:
    """Write it beside the copies, in place of what the run before has left; return where. Raises OSError."""
    path = store / NAME
    draft = store / f".{NAME}-{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{said}\n")
    draft.replace(path)
    return path
