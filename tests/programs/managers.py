"""Packages that `make package-managers` installs. A test is skipped if one that it needs is not installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[2] / ".programs"


def node_file(package: str, file: str) -> Path:
    """Return a file of an npm package, such as its program. Skip the test if it is not installed."""
    return _installed(PROGRAMS / "node_modules" / package / file)


def python_manager(name: str) -> Path:
    """Return a program of a Python package. Skip the test if it is not installed."""
    return _installed(PROGRAMS / "python" / "bin" / name)


def _installed(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not installed: make package-managers")
    return path


def path_with(folder: Path, **programs: Path) -> str:
    """Return a value of PATH on which these programs are found first, by these names."""
    folder.mkdir(exist_ok=True)
    for name, program in programs.items():
        interpreter = "node " if program.suffix in (".js", ".cjs") else ""
        (folder / name).write_text(f'#!/bin/sh\nexec {interpreter}{program} "$@"\n')
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
