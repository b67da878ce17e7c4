"""npm registries: the URLs of packages, and which packages are for this machine."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from addon.offline.wanted import SourceError
from addon.warm.lockfiles.tool import json_of

_CPUS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "i686": "ia32"}


@dataclass(frozen=True, slots=True)
class Registries:
    """The registries that a package manager is configured for."""

    default: str
    """Without a slash at its end."""
    scopes: Mapping[str, str]
    """The registries of scopes, such as `@example`."""

    def of(self, name: str) -> str:
        """Return the registry of a package."""
        return self.scopes.get(name.partition("/")[0], self.default)

    def tarball(self, name: str, version: str) -> str:
        """Return the URL of the tarball of a version."""
        return f"{self.of(name)}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


def registries_in(configuration: Mapping[str, object], source: str) -> Registries:
    """Return the registries of a configuration with npm's keys. Raises SourceError, whose text begins with `source`."""
    default = configuration.get("registry")
    if not isinstance(default, str):
        raise SourceError(f'{source}: expected a value of "registry"')
    scopes = {
        key.removesuffix(":registry"): url.rstrip("/")
        for key, url in configuration.items()
        if key.startswith("@") and key.endswith(":registry") and isinstance(url, str)
    }
    return Registries(default.rstrip("/"), scopes)


async def npm_registries(folder: Path) -> Registries:
    """Return the registries that npm is configured for in a folder. Raises SourceError."""
    return registries_in(await json_of(("npm", "config", "list", "--json"), folder), "npm config list --json")


def is_for_this_machine(package: Mapping[str, object]) -> bool:
    """Return whether `os`, `cpu` and `libc` of a package allow this machine."""
    return (
        _allows(package.get("os"), sys.platform)
        and _allows(package.get("cpu"), npm_cpu(platform.machine()))
        and _allows(package.get("libc"), c_library())
    )


def npm_cpu(machine: str) -> str:
    """Return npm's name for a kind of processor."""
    return _CPUS.get(machine.lower(), machine.lower())


def c_library() -> str:
    """Return npm's name for the C library of this machine; other systems than Linux have none."""
    if sys.platform != "linux":
        return ""
    return "glibc" if platform.libc_ver()[0] == "glibc" else "musl"


def _allows(listed: object, name: str) -> bool:
    """Return whether a name, or a list of names, allows a name; one that begins with "!" forbids it."""
    names = [listed] if isinstance(listed, str) else listed
    if not isinstance(names, list) or not name:
        return True
    allowed = [each for each in names if isinstance(each, str) and not each.startswith("!")]
    return f"!{name}" not in names and (not allowed or name in allowed or "any" in allowed)
