"""poetry.lock: the names and digests of files; Poetry asks an index for their URLs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from addon.offline.wanted import Found, Missing, SourceError, Wanted, list_in, read_toml
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git, package_file
from addon.warm.lockfiles.python_index import Client, LockedFile, default_index, files_in, located, locked_files
from addon.warm.lockfiles.simple_index import ProjectFile
from addon.warm.readers.urls import checked_url

# the request fields that Poetry sends to indexes and for files
POETRY = Client(
    index=(("Accept", "application/vnd.pypi.simple.v1+json, */*;q=0.1"), ("Accept-Encoding", "gzip, deflate")),
    file=(("Accept", "*/*"), ("Accept-Encoding", "Identity")),
)
RELEASE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"))


async def found_in(lock: LockFile) -> Found:
    """Return the documents and the files that Poetry requests for every package. Raises SourceError."""
    content = read_toml(lock.path)
    metadata = content.get("metadata")
    files = metadata.get("files") if isinstance(metadata, dict) else None  # where Poetry before 1.3 listed them
    packages = list_in(content, "package", lock.path)
    checked = []
    for number, package in enumerate(packages, start=1):
        match package:
            case {"name": str(name), "version": str(version), **rest}:
                listed = files.get(name) if isinstance(files, dict) else None
                checked.append({"files": listed or [], **rest, "name": name, "version": version})
            case _:
                raise SourceError(f"{lock.path}: #{number}: expected a package with name and version")
    default = "" if all(_has_source(package) for package in checked) else await default_index()
    parts = await asyncio.gather(*(_requests(package, default, lock) for package in checked))
    return [each for part in parts for each in part]


def _has_source(package: Mapping[object, object]) -> bool:
    """Return whether a package comes from elsewhere than the default index."""
    match package:
        case {"source": {"url": str()}}:
            return True
    return False


async def _requests(package: Mapping[object, object], default: str, lock: LockFile) -> Found:
    name, place = str(package["name"]), f"{lock.path}: {package['name']}"
    match package.get("source"):
        case {"type": "git"}:
            return [from_git(name)]
        case {"type": "directory" | "file"}:
            return []
        case {"type": "url", "url": str(url)}:
            digests = [file.digest for file in locked_files(package.get("files"), place)]
            digest = digests[0] if len(digests) == 1 else None
            return [package_file(name, url, place, POETRY.file, digest)]
        case {"url": str(index)}:
            files = locked_files(package.get("files"), place)
            return await files_in([checked_url(index, place)], name, files, POETRY, lock.read)
    base = default.rstrip("/").removesuffix("/simple")
    release = Wanted(f"{base}/pypi/{canonicalize_name(name)}/{package['version']}/json", RELEASE_FIELDS)
    return await _of_release(release, name, locked_files(package.get("files"), place), lock)


async def _of_release(release: Wanted, name: str, files: list[LockedFile], lock: LockFile) -> Found:
    """Return the document from which Poetry learns the URLs of the files of a version, and the files."""
    try:
        document = await lock.read(release)
    except SourceError as error:
        return [Missing(name, str(error))]
    try:
        listed = {
            str(each["filename"]): ProjectFile(str(each["filename"]), str(each["url"]), frozenset(), False)
            for each in json.loads(document.content)["urls"]
        }
    except (ValueError, TypeError, KeyError, RecursionError):
        return [Missing(name, f"{release.uri}: expected JSON with urls, each with filename and url")]
    for file in listed.values():
        checked_url(file.uri, release.uri)
    return [release, *located(name, files, listed, POETRY)]
