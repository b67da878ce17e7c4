"""package-lock.json: the tarballs that npm ci fetches on this machine."""

from __future__ import annotations

import platform
import sys
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from addon.offline.wanted import Digest, Found, Missing, SourceError, Wanted, read_json
from addon.warm.readers.tool import said_by
from addon.warm.readers.urls import checked

# what npm asks for tarballs with
FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip,deflate"))

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
    usual, configured = await _registries()
    return [each for name, package in packages if (each := _tarball(name, package, usual, configured, file))]


def _packages(tree: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    """Iterate over all packages with their names: a flat table, or a tree in the oldest form of the file."""
    flat = tree.get("packages")
    for path, package in (flat if isinstance(flat, dict) else {}).items():
        if path and isinstance(package, dict):
            yield path.rpartition("node_modules/")[2], package
    nested = tree.get("dependencies")
    for name, package in (nested if isinstance(nested, dict) and not isinstance(flat, dict) else {}).items():
        if isinstance(package, dict):
            yield name, package
            yield from _packages(package)


async def _registries() -> tuple[str, str]:
    """Return the registry that npm has of itself, which it replaces, and the one that it is configured for."""
    unset = {"npm_config_registry": "", "NPM_CONFIG_REGISTRY": ""}
    nothing = {"npm_config_userconfig": "/nothing", "npm_config_globalconfig": "/nothing/global", **unset}
    usual = await said_by("npm", "--prefix", "/", "config", "get", "registry", environ=nothing)
    return usual.rstrip("/"), (await said_by("npm", "config", "get", "registry")).rstrip("/")


def _tarball(name: str, package: dict[str, object], usual: str, configured: str, file: Path) -> Wanted | Missing | None:
    """Return where a package's tarball is, or None where npm fetches none."""
    if package.get("link") or package.get("inBundle") or package.get("bundled") or not _is_for_this_machine(package):
        return None
    resolved, version = package.get("resolved"), package.get("version")
    if not isinstance(resolved, str):
        # npm leaves it out where it is told to, and makes it of the name
        if not isinstance(version, str) or "integrity" not in package:
            return None
        resolved = f"{configured}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    elif urlsplit(resolved).netloc == urlsplit(usual).netloc:
        resolved = configured + urlsplit(resolved).path  # npm's replace-registry-host
    if resolved.startswith("file:"):
        return None
    if not resolved.startswith(("http://", "https://")):
        return Missing(name, f"it comes from {resolved}, which is no HTTP URL")
    return Wanted(checked(resolved, f"{file}: {name}"), FIELDS, _digest(package.get("integrity")))


def _is_for_this_machine(package: dict[str, object]) -> bool:
    machine = platform.machine().lower()
    return _allows(package.get("os"), sys.platform) and _allows(package.get("cpu"), _CPUS.get(machine, machine))


def _allows(listed: object, name: str) -> bool:
    """Tell whether a list of names, or of names with "!" before them, allows one."""
    if not isinstance(listed, list):
        return True
    allowed = [each for each in listed if isinstance(each, str) and not each.startswith("!")]
    return f"!{name}" not in listed and (not allowed or name in allowed)


def _digest(integrity: object) -> Digest | None:
    said = dict(part.partition("-")[::2] for part in integrity.split()) if isinstance(integrity, str) else {}
    for algorithm in _ALGORITHMS:
        if algorithm in said:
            try:
                return Digest(algorithm, b64decode(said[algorithm].partition("?")[0], validate=True).hex())
            except Base64Error:
                return None
    return None
