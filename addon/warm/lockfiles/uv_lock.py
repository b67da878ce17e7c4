"""uv.lock: the files for this machine."""

from __future__ import annotations

from addon.offline.wanted import Found, Missing, SourceError, Wanted, list_in, read_toml
from addon.warm.lockfiles.digests import from_prefixed
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git
from addon.warm.lockfiles.python_index import name_in
from addon.warm.lockfiles.this_machine import python_files
from addon.warm.readers.urls import checked_url

# the request fields that uv sends for files; without content coding, since uv checks their digests
UV_FILE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "identity"))


async def found_in(lock: LockFile) -> Found:
    """Return the files of every package. Raises SourceError."""
    packages = enumerate(list_in(read_toml(lock.path), "package", lock.path), start=1)
    return [each for number, package in packages for each in _files(package, f"{lock.path}: #{number}")]


def _files(package: object, place: str) -> Found:
    match package:
        case {"name": str(name), "source": dict(source), **rest}:
            if "git" in source:
                return [from_git(name)]
            if "registry" not in source and "url" not in source:
                return []  # a package on this machine
            listed = [*_list(rest.get("wheels")), rest.get("sdist")]
            files = [file for file in listed if isinstance(file, dict) and isinstance(file.get("url"), str)]
            wanted = python_files(files, lambda file: name_in(file["url"]))
            if not wanted:
                return [Missing(name, f"{place} names no URL of a file for this machine")]
            return [
                Wanted(checked_url(file["url"], place), UV_FILE_FIELDS, from_prefixed(file.get("hash")))
                for file in wanted
            ]
    raise SourceError(f"{place}: expected a package with name and source")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
