"""gradle.lockfile: the modules that Gradle requests from the repositories of the build."""

from __future__ import annotations

from addon.offline.wanted import Found, SourceError, read_text
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.maven_repository import Module, Repositories, requests_for

# the request fields that Gradle sends
GRADLE_FIELDS = (("Accept-Encoding", "gzip"),)


async def found_in(lock: LockFile) -> Found:
    """Return the metadata and the files of every module. Raises SourceError."""
    modules = []
    for number, line in enumerate(read_text(lock.path).splitlines(), start=1):
        coordinates, equals, _configurations = line.strip().partition("=")
        if not coordinates or coordinates.startswith("#") or coordinates == "empty":
            continue
        parts = coordinates.split(":")
        if not (equals or lock.path.name != "gradle.lockfile") or len(parts) != 3 or not all(parts):
            raise SourceError(f"{lock.path}: line {number}: expected group:name:version=configurations")
        modules.append(Module(*parts))
    return await requests_for(modules, repositories_of(lock)) if modules else []


def repositories_of(lock: LockFile) -> Repositories:
    """Return the repositories from the command line. Raises SourceError if there are none."""
    if not lock.indexes:
        raise SourceError(f"{lock.path}: names no repository: expected the URL of each with --index, in Gradle's order")
    return Repositories(lock.indexes, lock.read, GRADLE_FIELDS, gradle=True)
