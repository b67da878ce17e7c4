"""pnpm-lock.yaml: the tarballs, and from pnpm 11 on what the registry says of each package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from addon.offline.wanted import Fields, Found, Missing, SourceError, Wanted, read_text
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.npm_document import SHORT_FORM
from addon.warm.lockfiles.npm_registry import Registries, registries_in
from addon.warm.lockfiles.package_places import from_git, package_file
from addon.warm.lockfiles.this_machine import allows_npm_package
from addon.warm.lockfiles.tool import json_of
from addon.warm.lockfiles.yaml_file import yaml_documents

_FULL = "application/json; q=1.0, */*"

CHECKS_AGE_FROM = 11
"""The first version of pnpm that asks the registry how old each version of a lock file is (minimumReleaseAge)."""

ASKS_FOR_HEADS_FROM = 12
"""The first version that at times also asks for the head of what the registry says of a package. It accepts zstd too.

It asks with `Accept: */*`, of which a registry may keep a variant of its own.
"""

# since version 9 of the format `@a/b@1.0.0`; before, `/@a/b@1.0.0(peer@2.0.0)` and `/@a/b/1.0.0_peer@2.0.0`
_KEY = re.compile(r"/?(?P<name>@[^/@]+/[^/@]+|[^/@]+)[@/](?P<version>[^(_]+)(?P<peers>[(_].*)?")

_Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Pnpm:
    registries: Registries
    version: int
    """The major version; 0 if it is not known."""

    @property
    def tarball_fields(self) -> Fields:
        """The request fields for tarballs."""
        return ("Accept", "*/*"), ("Accept-Encoding", "zstd, gzip" if self.version >= ASKS_FOR_HEADS_FROM else "gzip")

    @property
    def document_fields(self) -> list[Fields]:
        """The request fields for each form of what a registry says of a package that this version may ask for."""
        if self.version < CHECKS_AGE_FROM:
            return []
        asks_for_heads = self.version >= ASKS_FOR_HEADS_FROM
        codings = "zstd,gzip,deflate" if asks_for_heads else "gzip,deflate"
        accepted = (SHORT_FORM, _FULL, "*/*") if asks_for_heads else (SHORT_FORM, _FULL)
        return [(("Accept", each), ("Accept-Encoding", codings)) for each in accepted]


async def found_in(lock: LockFile) -> Found:
    """Return what pnpm requests for every package that is for this machine. Raises SourceError."""
    packages = _packages(lock)
    if not packages:
        return []
    pnpm = await _pnpm(lock)
    found: Found = []
    for key, (package, resolution) in packages.items():
        found += _requests(key, package, resolution, pnpm, f"{lock.path}: {key}")
    return found


def _packages(lock: LockFile) -> dict[str, tuple[_Table, _Table]]:
    """Return the packages of all documents of the file, each with its resolution. Raises SourceError."""
    packages: dict[str, tuple[_Table, _Table]] = {}
    for document in yaml_documents(read_text(lock.path), lock.path):
        if "lockfileVersion" not in document:
            raise SourceError(f"{lock.path}: expected lockfileVersion")
        listed = document.get("packages") or {}
        if not isinstance(listed, dict):
            raise SourceError(f"{lock.path}: expected a table under packages")
        for key, package in listed.items():
            match package:
                case {"resolution": dict(resolution)}:
                    packages[str(key)] = package, resolution
                case _:
                    raise SourceError(f"{lock.path}: {key}: expected a package with resolution")
    return packages


async def _pnpm(lock: LockFile) -> _Pnpm:
    """Return the configuration and the age of pnpm. Raises SourceError."""
    command = ("pnpm", "config", "list", "--json")
    configuration = await json_of(command, lock.folder)
    agent = str(configuration.get("userAgent") or configuration.get("user-agent"))
    version = re.match(r"pnpm/(\d+)", agent)
    return _Pnpm(registries_in(configuration, " ".join(command)), int(version[1]) if version else 0)


def _requests(key: str, package: _Table, resolution: _Table, pnpm: _Pnpm, place: str) -> Iterator[Wanted | Missing]:
    if "directory" in resolution:
        return
    if resolution.get("type") == "git" or "repo" in resolution:
        yield from_git(key)
        return
    name, version, url = _name_and_url(key, resolution, pnpm.registries, place)
    if version:
        yield from _age_of(name, version, pnpm)
    if not allows_npm_package(package) or url.startswith("file:"):
        return
    digest = from_integrity(resolution.get("integrity"))
    yield package_file(key, url, place, pnpm.tarball_fields, digest)


def _name_and_url(key: str, resolution: _Table, registries: Registries, place: str) -> tuple[str, str | None, str]:
    """Return the name, the version in a registry (or None), and the URL of the tarball. Raises SourceError."""
    match = _KEY.fullmatch(key)
    if match and re.match(r"\d", match["version"]):
        tarball = resolution.get("tarball") or registries.tarball(match["name"], match["version"])
        return match["name"], match["version"], str(tarball)
    if tarball := resolution.get("tarball"):
        return key, None, str(tarball)
    raise SourceError(f"{place}: expected a name and a version, or a resolution with tarball")


def _age_of(name: str, version: str, pnpm: _Pnpm) -> Iterator[Wanted]:
    """Iterate over the documents from which pnpm learns when a version was published."""
    registry, forms = pnpm.registries.of(name), pnpm.document_fields
    for fields in forms:
        yield Wanted(f"{registry}/{quote(name, safe='@')}", fields)
    if forms:  # most registries have no attestations, and most packages have none either
        attestations = f"{registry}/-/npm/v1/attestations/{name}@{version}"
        yield Wanted(attestations, pnpm.tarball_fields, may_be_absent=True)
