"""Files that are installed beside the packages."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def shipped_file(name: str) -> Path:
    """Return the path of a file of this release: in the installation, else in the source directory."""
    from importlib.metadata import PackageNotFoundError, files

    with suppress(PackageNotFoundError):
        for file in files("secondhand") or ():
            if file.name == name:
                return Path(str(file.locate())).resolve()
    return Path(__file__).absolute().parents[2] / name
