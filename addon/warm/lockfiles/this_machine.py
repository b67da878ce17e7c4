"""Chooses what is for this machine among the files and packages of a lock file, in the words of each ecosystem."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from packaging.tags import platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

_NPM_CPUS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "i686": "ia32"}
_GEM_CPUS = {"amd64": {"x86_64", "x64"}, "x86_64": {"x86_64", "x64"}, "aarch64": {"aarch64", "arm64"}}
_GEM_CPUS["arm64"] = _GEM_CPUS["aarch64"]


# ---- Python


def python_files[T](files: Iterable[T], name_of: Callable[[T], str]) -> list[T]:
    """Return the wheels for this machine, for any version of Python; if there are none, the source archives."""
    listed = list(files)
    wheels = [file for file in listed if _fits(name_of(file))]
    return wheels or [file for file in listed if not name_of(file).endswith(".whl")]


def _fits(name: str) -> bool:
    try:
        _, _, _, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return False
    return any(tag.platform in _wheel_platforms() for tag in tags)


@cache
def _wheel_platforms() -> frozenset[str]:
    return frozenset({"any", *platform_tags()})


# ---- npm and the package managers with its registry


def npm_names() -> dict[str, str]:
    """Return npm's names for the system (`os`), the processor (`cpu`) and the C library (`libc`) of this machine."""
    machine = platform.machine().lower()
    return {"os": sys.platform, "cpu": _NPM_CPUS.get(machine, machine), "libc": _c_library()}


def allows_npm_package(package: Mapping[str, object]) -> bool:
    """Return whether `os`, `cpu` and `libc` of a package allow this machine."""
    return all(_allows(package.get(key), name) for key, name in npm_names().items())


def _allows(listed: object, name: str) -> bool:
    """Return whether a name, or a list of names, allows a name; one that begins with "!" forbids it."""
    names = [listed] if isinstance(listed, str) else listed
    if not isinstance(names, list) or not name:
        return True
    allowed = [each for each in names if isinstance(each, str) and not each.startswith("!")]
    return f"!{name}" not in names and (not allowed or name in allowed or "any" in allowed)


def _c_library() -> str:
    """Return the name of the C library; other systems than Linux have none."""
    if sys.platform != "linux":
        return ""
    return "glibc" if platform.libc_ver()[0] == "glibc" else "musl"


# ---- Ruby


def is_gem_platform(name: str) -> bool:
    """Return whether a platform of gems, like `x86_64-linux-gnu` or `universal-darwin`, is that of this machine."""
    cpu, _, system = name.partition("-")
    machine = platform.machine().lower()
    if cpu != "universal" and cpu not in _GEM_CPUS.get(machine, {machine}):
        return False
    if not system.startswith(sys.platform):
        return False
    return {"gnu": "glibc", "musl": "musl"}.get(system.rpartition("-")[2], _c_library()) == _c_library()
