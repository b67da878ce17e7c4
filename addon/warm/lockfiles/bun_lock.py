"""bun.lock: JSON with commas before closing brackets; the tarballs that Bun fetches on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from addon.config.user_folders import expanded
from addon.offline.wanted import Found, Missing, SourceError, Wanted, json_in, read_text, read_toml
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.npm_registry import Registries, npm_registries
from addon.warm.lockfiles.package_places import from_git, package_file
from addon.warm.lockfiles.this_machine import allows_npm_package
from addon.warm.readers.urls import checked_url

# the request fields that Bun sends for tarballs
TARBALL_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate, br, zstd"))

_STRING_OR_LAST_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')
_SPECIFIER = re.compile(r"(?P<name>@[^/@]+/[^@]+|[^@]+)@(?P<version>.*)")
_ON_THIS_MACHINE = ("workspace:", "link:", "file:", "root:")


async def found_in(lock: LockFile) -> Found:
    """Return the tarballs of every package that is for this machine. Raises SourceError."""
    packages = _packages(lock.path)
    if not packages:
        return []
    registries = await _registries(lock.folder)
    found = (_tarball(entry, registries, f"{lock.path}: {name}") for name, entry in packages.items())
    return [each for each in found if each]


def _packages(file: Path) -> Mapping[str, object]:
    text = _STRING_OR_LAST_COMMA.sub(lambda match: match[1] or " ", read_text(file))
    packages = json_in(text, file).get("packages", {})
    if not isinstance(packages, dict):
        raise SourceError(f"{file}: expected a table under packages")
    return packages


async def _registries(folder: Path) -> Registries:
    """Return the registries that Bun is configured for. Raises SourceError."""
    scopes: dict[str, str] = {}
    default = next((os.environ[name] for name in ("BUN_CONFIG_REGISTRY", "NPM_CONFIG_REGISTRY", "npm_config_registry")
                    if os.environ.get(name)), None)  # fmt: skip
    home = Path(os.environ.get("XDG_CONFIG_HOME") or expanded("~"))
    for file in (folder / "bunfig.toml", home / ".bunfig.toml"):
        install = read_toml(file).get("install") if file.is_file() else None
        if isinstance(install, dict):
            default = default or _url_of(install.get("registry"))
            named = install.get("scopes")
            for scope, value in (named if isinstance(named, dict) else {}).items():
                scopes.setdefault(f"@{scope.removeprefix('@')}", _url_of(value) or "")
    own = {scope: url.rstrip("/") for scope, url in scopes.items() if url}
    if default:
        return Registries(default.rstrip("/"), own)
    npm = await npm_registries(folder)  # Bun reads .npmrc too, and has the same default
    return Registries(npm.default, {**npm.scopes, **own})


def _url_of(value: object) -> str | None:
    """Return the URL of a registry, which Bun's settings give as text or in a table."""
    url = value.get("url") if isinstance(value, dict) else value
    return url if isinstance(url, str) else None


def _tarball(entry: object, registries: Registries, place: str) -> Wanted | Missing | None:
    """Return the URL of a package's tarball, or None if Bun fetches none."""
    match entry:
        case [str(specifier), *rest] if match := _SPECIFIER.fullmatch(specifier):
            name, version = match["name"], match["version"]
        case _:
            raise SourceError(f'{place}: expected a list that begins with "name@version"')
    if version.startswith(_ON_THIS_MACHINE):
        return None
    if version.startswith(("git", "ssh")):
        return from_git(name)
    if "://" in version:  # a tarball from elsewhere
        return package_file(name, version, place, TARBALL_FIELDS)
    source, package, integrity = (*rest, None, None, None)[:3]
    if isinstance(package, dict) and not allows_npm_package(package):
        return None
    url = source if isinstance(source, str) and source.endswith(".tgz") else _of_registry(source, registries, match)
    return Wanted(checked_url(url, place), TARBALL_FIELDS, from_integrity(integrity))


def _of_registry(source: object, registries: Registries, package: re.Match[str]) -> str:
    named = Registries(source.rstrip("/"), {}) if isinstance(source, str) and source else registries
    return named.tarball(package["name"], package["version"])
