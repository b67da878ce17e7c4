"""package-lock.json: the tarballs that npm ci fetches on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from addon.offline.wanted import Found, Missing, SourceError, Wanted, read_json
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.npm_registry import Registries, npm_registries
from addon.warm.lockfiles.package_places import not_http
from addon.warm.lockfiles.this_machine import allows_npm_package
from addon.warm.lockfiles.tool import output_of
from addon.warm.readers.urls import checked_url, is_http

# the request fields that npm sends for tarballs
TARBALL_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip,deflate"))


async def found_in(lock: LockFile) -> Found:
    """Return the tarballs of every package, from the registry that npm is configured for. Raises SourceError."""
    content = read_json(lock.path)
    packages = list(_packages(content))
    if not packages and "packages" not in content and "dependencies" not in content:
        raise SourceError(f"{lock.path}: expected packages or dependencies")
    if not packages:
        return []
    npm = _Npm(await _default_registry(), await npm_registries(lock.folder))
    return [each for name, package in packages if (each := _tarball(name, package, npm, lock.path))]


def _packages(tree: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    """Iterate over all packages and their names. The oldest form of the file has a tree, newer ones a flat table."""
    flat = tree.get("packages")
    for path, package in (flat if isinstance(flat, dict) else {}).items():
        if path and isinstance(package, dict):
            name = package.get("name")  # given if it differs from the folder, as with an alias
            yield name if isinstance(name, str) else path.rpartition("node_modules/")[2], package
    nested = tree.get("dependencies")
    for name, package in (nested if isinstance(nested, dict) and not isinstance(flat, dict) else {}).items():
        if isinstance(package, dict):
            yield name, package
            yield from _packages(package)


@dataclass(frozen=True, slots=True)
class _Npm:
    default_registry: str
    """The registry of npm without any configuration. npm replaces it in the URLs of a lock file."""
    registries: Registries


async def _default_registry() -> str:
    unset = {"npm_config_registry": "", "NPM_CONFIG_REGISTRY": ""}
    unconfigured = {"npm_config_userconfig": "/nothing", "npm_config_globalconfig": "/nothing/global", **unset}
    return await output_of(("npm", "--prefix", "/", "config", "get", "registry"), environ=unconfigured)


def _tarball(name: str, package: dict[str, object], npm: _Npm, file: Path) -> Wanted | Missing | None:
    """Return the URL of a package's tarball, or None if npm fetches none."""
    if package.get("link") or package.get("inBundle") or package.get("bundled") or not allows_npm_package(package):
        return None
    resolved, version = package.get("resolved"), package.get("version")
    if not isinstance(resolved, str):
        # npm can leave it out (omit-lockfile-registry-resolved), and then derives it from the name
        if not isinstance(version, str) or "integrity" not in package:
            return None
        resolved = npm.registries.tarball(name, version)
    if resolved.startswith("file:"):
        return None
    if not is_http(resolved):
        return not_http(name, resolved)
    url = checked_url(resolved, f"{file}: {name}")
    if urlsplit(url).netloc == urlsplit(npm.default_registry).netloc:
        url = npm.registries.default + urlsplit(url).path  # npm's replace-registry-host
    return Wanted(url, TARBALL_FIELDS, from_integrity(package.get("integrity")))
