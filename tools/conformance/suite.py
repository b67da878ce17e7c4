"""Installation of the public suite, http-cache-tests, from npm into a folder of the Python environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "http-cache-tests"
RELEASE = "0.4.5"
FOLDER = Path(sys.prefix) / "conformance"
"""In the virtual environment: not in git, and deleted together with the environment."""


class SuiteUnavailable(Exception):
    """Node.js or npm is missing, or npm could not install the suite."""


def find_program(name: str) -> str:
    """Return the path of a program. Raises SuiteUnavailable."""
    found = shutil.which(name)
    if found is None:
        raise SuiteUnavailable(
            f"the suite needs {name}, which is not installed (Node.js 18 or later comes with node and npm)"
        )
    return found


def install() -> Path:
    """Return the folder of the suite's package; the first time, install it with npm. Raises SuiteUnavailable."""
    package = FOLDER / RELEASE / "node_modules" / PACKAGE
    if package.exists():
        return package
    npm = find_program("npm")
    print(f"npm installs {PACKAGE} {RELEASE} in {FOLDER}", flush=True)
    # install in another folder and rename it at the end, so that an incomplete installation is never used
    building = FOLDER / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    options = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run([npm, "install", "--prefix", str(building), *options, f"{PACKAGE}@{RELEASE}"], check=False)
    if done.returncode:
        raise SuiteUnavailable(f"npm did not install {PACKAGE} {RELEASE}: see above")
    building.rename(FOLDER / RELEASE)
    return package
