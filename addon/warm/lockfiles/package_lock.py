"""package-lock.json: what npm ci fetches on this machine.

These are the tarballs, and before them the document of each package without a URL: it names the tarball. For a file of
the oldest form, npm also fetches the documents of the packages that have a URL.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from addon.offline.wanted import Digest, Found, Read, SourceError, Wanted, read_json
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.npm_document import SHORT_FORM, document_of, tarball_in
from addon.warm.lockfiles.npm_registry import Registries, npm_registries
from addon.warm.lockfiles.package_places import not_http
from addon.warm.lockfiles.this_machine import allows_npm_package
from addon.warm.lockfiles.tool import output_of
from addon.warm.readers.urls import checked_url, is_http

# the request fields that npm sends for tarballs
TARBALL_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip,deflate"))
DOCUMENT_FIELDS = (("Accept", SHORT_FORM), ("Accept-Encoding", "gzip,deflate"))

_ALIAS = re.compile(r"npm:(?P<name>@?[^@]+)@(?P<version>.+)")


async def found_in(lock: LockFile) -> Found:
    """Return what npm fetches for every package, from the registry that it is configured for. Raises SourceError."""
    content = read_json(lock.path)
    packages = list(_packages(content))
    if not packages and "packages" not in content and "dependencies" not in content:
        raise SourceError(f"{lock.path}: expected packages or dependencies")
    if not packages:
        return []
    npm = _Npm(await _default_registry(), await npm_registries(lock.folder), lock.read)
    found: Found = [] if "packages" in content else [_document_to_complete(name, npm) for name, _ in packages]
    for each in await asyncio.gather(*(_package(name, package, npm, lock.path) for name, package in packages)):
        found += each
    return found


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
    read: Read

    def tarball(self, url: str, digest: Digest | None) -> Wanted:
        """Return the request for a tarball at a URL that a lock file or a document gives."""
        if urlsplit(url).netloc == urlsplit(self.default_registry).netloc:
            url = self.registries.default + urlsplit(url).path  # npm's replace-registry-host
        return Wanted(url, TARBALL_FIELDS, digest)


async def _default_registry() -> str:
    unset = {"npm_config_registry": "", "NPM_CONFIG_REGISTRY": ""}
    unconfigured = {"npm_config_userconfig": "/nothing", "npm_config_globalconfig": "/nothing/global", **unset}
    return await output_of(("npm", "--prefix", "/", "config", "get", "registry"), environ=unconfigured)


async def _package(name: str, package: dict[str, object], npm: _Npm, file: Path) -> Found:
    """Return what npm fetches for a package. Raises SourceError."""
    if package.get("link") or package.get("inBundle") or package.get("bundled") or not allows_npm_package(package):
        return []
    resolved, version = package.get("resolved"), package.get("version")
    digest = from_integrity(package.get("integrity"))
    if not isinstance(resolved, str):
        # npm leaves it out with omit-lockfile-registry-resolved
        if not isinstance(version, str) or "integrity" not in package:
            return []
        return await _in_registry(name, version, digest, npm)
    if resolved.startswith("file:"):
        return []
    if not is_http(resolved):
        return [not_http(name, resolved)]
    return [npm.tarball(checked_url(resolved, f"{file}: {name}"), digest)]


async def _in_registry(name: str, version: str, digest: Digest | None, npm: _Npm) -> Found:
    """Return the document of a package without a URL, and the tarball that it names."""
    if alias := _ALIAS.fullmatch(version):  # so in the oldest form of the file
        name, version = alias["name"], alias["version"]
    document = document_of(npm.registries.of(name), name, DOCUMENT_FIELDS)
    try:
        url, published = tarball_in(await npm.read(document), version)
    except SourceError as error:
        return [error.as_missing()]
    return [document, npm.tarball(url, digest or published)]


def _document_to_complete(name: str, npm: _Npm) -> Wanted:
    """Return the document from which npm completes an entry of the oldest form. It goes on without it."""
    return replace(document_of(npm.registries.of(name), name, DOCUMENT_FIELDS), may_be_absent=True)
