"""composer.lock: the archives of the packages, which Composer requests as they are named."""

from __future__ import annotations

from addon.offline.wanted import Found, Missing, SourceError, Wanted, list_in, read_json
from addon.warm.lockfiles.digests import from_hashes
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git, package_file

# the request fields that Composer sends for archives
ARCHIVE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "deflate, gzip, br, zstd"))


async def found_in(lock: LockFile) -> Found:
    """Return the archives of every package, also of those for development. Raises SourceError."""
    content = read_json(lock.path)
    if "packages" not in content:
        raise SourceError(f"{lock.path}: expected packages")
    found = []
    for key in ("packages", "packages-dev"):
        for number, package in enumerate(list_in(content, key, lock.path), start=1):
            found.append(_archive(package, f"{lock.path}: {key}: #{number}"))
    return [each for each in found if each]


def _archive(package: object, place: str) -> Wanted | Missing | None:
    """Return the URL of a package's archive, or None if it has none."""
    match package:
        case {"name": str(), "type": "metapackage"} | {"name": str(), "dist": {"type": "path"}}:
            return None
        case {"name": str(name), "dist": {"url": str(url), **dist}}:
            digest = from_hashes({"sha1": str(dist.get("shasum") or "")})
            return package_file(name, url, place, ARCHIVE_FIELDS, digest)
        case {"name": str(name), "source": dict()}:
            return from_git(name)
    raise SourceError(f"{place}: expected a package with name, and dist with url")
