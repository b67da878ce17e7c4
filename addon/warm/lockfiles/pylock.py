"""pylock.toml: the files for this machine, as pip and uv request them."""

from __future__ import annotations

from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock, PylockValidationError

from addon.offline.wanted import Found, Missing, SourceError, Wanted, read_toml
from addon.warm.lockfiles.digests import from_hashes
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git, package_file
from addon.warm.lockfiles.this_machine import python_files

# the request fields that pip and uv send for files; without content coding, since they check digests
FILE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "identity"))


async def found_in(lock: LockFile) -> Found:
    """Return the files of every package. Raises SourceError."""
    try:
        packages = Pylock.from_dict(read_toml(lock.path)).packages
    except PylockValidationError as error:
        raise SourceError(f"{lock.path}: {error}") from None
    return [each for package in packages for each in _files(package, f"{lock.path}: {package.name}")]


def _files(package: Package, place: str) -> Found:
    """Return the files of a package; those with a path are on this machine."""
    if package.vcs:
        return [from_git(package.name)]
    if package.archive:
        archive = package.archive
        return [_wanted(archive.url, dict(archive.hashes), package.name, place)] if archive.url else []
    files: list[PackageWheel | PackageSdist] = [*(package.wheels or ()), *([package.sdist] if package.sdist else [])]
    chosen = python_files(files, lambda file: file.filename)
    if files and not chosen:
        return [Missing(package.name, "the lock file names no file for this machine")]
    return [_wanted(file.url, dict(file.hashes), package.name, place) for file in chosen if file.url]


def _wanted(url: str, hashes: dict[str, str], name: str, place: str) -> Wanted | Missing:
    return package_file(name, url.partition("#")[0], place, FILE_FIELDS, from_hashes(hashes))
