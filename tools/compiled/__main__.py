"""Makes a wheel in dist/ whose most used modules are compiled by mypyc, and tests what is in it.

The sources are the same: `rewriting` changes a copy of them. Compiled are the modules that misses run through, as
`modules.txt` names them; the others stay interpreted. It needs a C compiler.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from tools.compiled.rewriting import rewritten, subclasses

ROOT = Path(__file__).parents[2]
MODULES = Path(__file__).with_name("modules.txt").read_text().split()
TESTS = ("tests/lanes",)
"""The conversations, which know the proxy from outside: other tests replace parts of it, and compiled ones stay."""
DATA = ("config.example.toml", "constraints.txt")

_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup

# `make check` has checked the sources; that a protocol derives from none of asyncio's would be an error
flags = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", "--disable-error-code=arg-type"]
is_needed = "bdist_wheel" in sys.argv  # not when only the metadata is asked for
setup(ext_modules=mypycify([*flags, *{modules}], opt_level="3", multi_file=True) if is_needed else [])
"""


def main() -> None:
    """Make the wheel and run the tests."""
    place = ROOT / "build" / "compiled"
    shutil.rmtree(place, ignore_errors=True)
    wheel = _make_wheel(place / "sources", ROOT / "dist")
    print(f"{wheel.relative_to(ROOT)} has {len(MODULES)} compiled modules")
    _test(wheel, place / "tested", sys.argv[1:])


def _make_wheel(sources: Path, folder: Path) -> Path:
    """Rewrite the modules in a copy of the sources, and return the wheel that was made of them."""
    _copy(sources, "addon", "cache", "secondhand.py", "pyproject.toml", "LICENSE", "README.md", *DATA)
    subclassed = _subclassed()
    for name in MODULES:
        path, module = sources / name, name.removesuffix(".py").replace("/", ".")
        path.write_text(rewritten(path.read_text(), frozenset(subclassed[module])))
    (sources / "setup.py").write_text(_SETUP.format(modules=MODULES))
    environment = os.environ | {"SETUPTOOLS_SCM_PRETEND_VERSION": version("secondhand")}
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "."]
    subprocess.run(command, cwd=sources, env=environment, check=True)
    [wheel] = (sources / "dist").glob("*.whl")
    folder.mkdir(exist_ok=True)
    for earlier in folder.glob("secondhand-*-linux_*.whl"):
        earlier.unlink()
    return Path(shutil.copy(wheel, folder))


def _subclassed() -> dict[str, set[str]]:
    """Return the names of classes from which interpreted ones derive, by module."""
    found = defaultdict(set)
    for path in [path for folder in ("addon", "cache", *TESTS) for path in (ROOT / folder).rglob("*.py")]:
        if str(path.relative_to(ROOT)) not in MODULES:
            for module, name in subclasses(path.read_text()):
                found[module].add(name)
    return found


def _test(wheel: Path, place: Path, arguments: list[str]) -> None:
    """Run tests with what is in the wheel, from a folder of its own."""
    with ZipFile(wheel) as archive:
        archive.extractall(place)
    _copy(place, "tests", "docs", "tools", "pyproject.toml", "README.md", *DATA)
    names = [name.removesuffix(".py").replace("/", ".") for name in MODULES]
    check = f"import importlib as i; assert all(i.import_module(m).__file__.endswith('.so') for m in {names})"
    subprocess.run([sys.executable, "-c", check], cwd=place, check=True)
    command = [sys.executable, "-m", "pytest", "--numprocesses", "auto", "--dist", "worksteal", *TESTS, *arguments]
    subprocess.run(command, cwd=place, check=True)


def _copy(to: Path, *names: str) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to)


if __name__ == "__main__":
    main()
