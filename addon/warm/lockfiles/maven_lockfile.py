"""lockfile.json of maven-lockfile: the artifacts and plugins of a Maven project, with their URLs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from addon.offline.wanted import DIGEST_ALGORITHMS, Digest, Found, Missing, SourceError, read_json
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.maven_files import MAVEN_FIELDS, with_checksum
from addon.warm.lockfiles.maven_repository import Module, Repositories
from addon.warm.lockfiles.package_places import not_http
from addon.warm.readers.urls import checked_url, is_http

COORDINATES = ("groupId", "artifactId", "version")


async def found_in(lock: LockFile) -> Found:
    """Return each artifact and its POM, the POMs that it inherits from or imports, and their checksums.

    Raises:
        SourceError: the file is invalid.
    """
    content = read_json(lock.path)
    if "lockFileVersion" not in content and "lockfileVersion" not in content:
        raise SourceError(f"{lock.path}: expected lockFileVersion, as maven-lockfile writes it")
    artifacts = list(_artifacts(content))
    bases = list(dict.fromkeys(base for artifact in artifacts if (base := _base(artifact, lock))))
    repositories = Repositories([*lock.indexes, *bases], lock.read, MAVEN_FIELDS, gradle=False)
    parts = await asyncio.gather(*(_requests(artifact, repositories, lock) for artifact in artifacts))
    return [each for part in parts for each in part]


async def _requests(artifact: dict[str, object], repositories: Repositories, lock: LockFile) -> Found:
    module, url = _module(artifact, lock), str(artifact["resolved"])
    if not is_http(url):
        return [not_http(str(module), url)]
    file = with_checksum(checked_url(url, f"{lock.path}: {module}"), _digest(artifact))
    located = await repositories.locate(module)
    if isinstance(located, Missing):
        return [*file, located]
    return [*file, *(each for pom in located.metadata for each in with_checksum(pom.uri))]


def _artifacts(value: object) -> Iterator[dict[str, object]]:
    """Iterate over the artifacts at any depth: they have coordinates and a URL."""
    if isinstance(value, dict) and all(isinstance(value.get(key), str) for key in (*COORDINATES, "resolved")):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _artifacts(child)


def _module(artifact: dict[str, object], lock: LockFile) -> Module:
    values = [str(artifact[key]) for key in COORDINATES]
    if not all(values):
        raise SourceError(f"{lock.path}: expected an artifact with groupId, artifactId and version")
    return Module(*values)


def _base(artifact: dict[str, object], lock: LockFile) -> str | None:
    """Return the URL of the repository that an artifact came from."""
    base, found, _ = str(artifact["resolved"]).partition(f"/{_module(artifact, lock).folder}/")
    return checked_url(base, f"{lock.path}: {_module(artifact, lock)}") if found and is_http(base) else None


def _digest(artifact: dict[str, object]) -> Digest | None:
    algorithm = str(artifact.get("checksumAlgorithm", "")).lower().replace("-", "")
    value = artifact.get("checksum")
    return Digest(algorithm, value.lower()) if algorithm in DIGEST_ALGORITHMS and isinstance(value, str) else None
