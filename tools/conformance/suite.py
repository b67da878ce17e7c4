"""The public suite, http-cache-tests, in the release that npm has: installed beside the environment that runs us."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "http-cache-tests"
RELEASE = "0.4.5"
FOLDER = Path(sys.prefix) / "conformance"
"""In the virtual environment: outside of git, and gone with it."""


class Missing(Exception):
    """Something that the suite needs is not there."""


def program(name: str) -> str:
    """Return where a program is. Raises Missing."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"the suite needs {name}, which is not installed (Node.js 18 or later comes with node and npm)")
    return found


def installed() -> Path:
    """Return the folder of the suite's package, fetched by npm the first time. Raises Missing."""
    package = FOLDER / RELEASE / "node_modules" / PACKAGE
    if package.exists():
        return package
    npm = program("npm")
    print(f"npm installs {PACKAGE} {RELEASE} in {FOLDER}", flush=True)
    # built elsewhere and moved: a broken installation is never taken for one
    building = FOLDER / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    options = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run([npm, "install", "--prefix", str(building), *options, f"{PACKAGE}@{RELEASE}"], check=False)
    if done.returncode:
        raise Missing(f"npm did not install {PACKAGE} {RELEASE}: see above")
    building.rename(FOLDER / RELEASE)
    return package
