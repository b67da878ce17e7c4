"""package-lock.json: the tarballs that npm ci fetches on this machine."""

from __future__ import annotations

import platform
import sys
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from addon.offline.wanted import Digest, Found, Missing, SourceError, Wanted, read_json
from addon.warm.readers.tool import output_of
from addon.warm.readers.urls import checked_url

# the request fields that npm sends for tarballs
TARBALL_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip,deflate"))

_CPUS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "i686": "ia32"}
# strongest first
_ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")


async def found_in(file: Path) -> Found:
    """Return the tarballs of every package, from the registry that npm is configured for. Raises SourceError."""
    lock = read_json(file)
    packages = list(_packages(lock))
    if not packages and "packages" not in lock and "dependencies" not in lock:
        raise SourceError(f"{file}: expected packages or dependencies")
    if not packages:
        return []
    registries = await _registries()
    return [each for name, package in packages if (each := _tarball(name, package, registries, file))]


def _packages(tree: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    """Iterate over all packages and their names. The oldest form of the file has a tree, newer ones a flat table."""
    flat = tree.get("packages")
    for path, package in (flat if isinstance(flat, dict) else {}).items():
        if path and isinstance(package, dict):
            yield path.rpartition("node_modules/")[2], package
    nested = tree.get("dependencies")
    for name, package in (nested if isinstance(nested, dict) and not isinstance(flat, dict) else {}).items():
        if isinstance(package, dict):
            yield name, package
            yield from _packages(package)


@dataclass(frozen=True, slots=True)
class _Registries:
    default: str
    """The registry of npm without any configuration. npm replaces it in the URLs of a lock file."""
    configured: str


async def _registries() -> _Registries:
    unset = {"npm_config_registry": "", "NPM_CONFIG_REGISTRY": ""}
    unconfigured = {"npm_config_userconfig": "/nothing", "npm_config_globalconfig": "/nothing/global", **unset}
    default = await output_of(("npm", "--prefix", "/", "config", "get", "registry"), environ=unconfigured)
    return _Registries(default.rstrip("/"), (await output_of(("npm", "config", "get", "registry"))).rstrip("/"))


def _tarball(name: str, package: dict[str, object], registries: _Registries, file: Path) -> Wanted | Missing | None:
    """Return the URL of a package's tarball, or None if npm fetches none."""
    if package.get("link") or package.get("inBundle") or package.get("bundled") or not _is_for_this_machine(package):
        return None
    resolved, version = package.get("resolved"), package.get("version")
    if not isinstance(resolved, str):
        # npm can leave it out (omit-lockfile-registry-resolved), and then derives it from the name
        if not isinstance(version, str) or "integrity" not in package:
            return None
        resolved = f"{registries.configured}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    elif urlsplit(resolved).netloc == urlsplit(registries.default).netloc:
        resolved = registries.configured + urlsplit(resolved).path  # npm's replace-registry-host
    if resolved.startswith("file:"):
        return None
    if not resolved.startswith(("http://", "https://")):
        return Missing(name, f"it comes from {resolved}, which is no HTTP URL")
    return Wanted(checked_url(resolved, f"{file}: {name}"), TARBALL_FIELDS, _digest(package.get("integrity")))


def _is_for_this_machine(package: dict[str, object]) -> bool:
    machine = platform.machine().lower()
    return _allows(package.get("os"), sys.platform) and _allows(package.get("cpu"), _CPUS.get(machine, machine))


def _allows(listed: object, name: str) -> bool:
    """Return whether a list allows a name; an entry that begins with "!" forbids one."""
    if not isinstance(listed, list):
        return True
    allowed = [each for each in listed if isinstance(each, str) and not each.startswith("!")]
    return f"!{name}" not in listed and (not allowed or name in allowed)


def _digest(integrity: object) -> Digest | None:
    digests = dict(part.partition("-")[::2] for part in integrity.split()) if isinstance(integrity, str) else {}
    for algorithm in _ALGORITHMS:
        if algorithm in digests:
            try:
                return Digest(algorithm, b64decode(digests[algorithm].partition("?")[0], validate=True).hex())
            except Base64Error:
                return None
    return None
