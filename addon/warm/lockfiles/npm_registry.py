"""npm registries, and the URLs of packages in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from addon.offline.wanted import SourceError
from addon.warm.lockfiles.tool import json_of


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
