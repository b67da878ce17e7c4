"""pdm.lock: the files with their URLs (strategy static_urls), or their names, for which PDM asks its indexes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from addon.offline.wanted import Found, SourceError, Wanted, list_in, read_toml
from addon.warm.lockfiles.digests import from_prefixed
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git, package_file
from addon.warm.lockfiles.python_index import Client, files_in, locked_files, name_in
from addon.warm.lockfiles.simple_index import PIP_INDEX_FIELDS
from addon.warm.lockfiles.this_machine import python_files
from addon.warm.lockfiles.tool import output_of
from addon.warm.readers.urls import checked_url

# the request fields that PDM sends to indexes and for files
PDM = Client(index=PIP_INDEX_FIELDS, file=(("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate")))


async def found_in(lock: LockFile) -> Found:
    """Return the pages and the files that PDM requests for every package. Raises SourceError."""
    packages = [_checked(each, f"{lock.path}: #{number}") for number, each in enumerate(_listed(lock), start=1)]
    indexes = await _indexes(lock) if any(_asks_indexes(each) for each in packages) else []
    parts = await asyncio.gather(*(_requests(each, indexes, lock) for each in packages))
    return [each for part in parts for each in part]


def _listed(lock: LockFile) -> list[object]:
    return list_in(read_toml(lock.path), "package", lock.path)


def _checked(package: object, place: str) -> Mapping[str, object]:
    if isinstance(package, dict) and isinstance(package.get("name"), str):
        return package
    raise SourceError(f"{place}: expected a package with name")


def _urls_of(package: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the files of a package that have URLs."""
    files = package.get("files")
    listed = files if isinstance(files, list) else []
    return [each for each in listed if isinstance(each, dict) and isinstance(each.get("url"), str)]


def _is_elsewhere(package: Mapping[str, object]) -> bool:
    return any(key in package for key in ("git", "hg", "svn", "path", "url"))


def _asks_indexes(package: Mapping[str, object]) -> bool:
    return not _is_elsewhere(package) and not _urls_of(package) and bool(package.get("files"))


async def _indexes(lock: LockFile) -> list[str]:
    """Return the indexes of the project and of PDM's configuration. Raises SourceError."""
    project = lock.folder / "pyproject.toml"
    tool = read_toml(project).get("tool") if project.is_file() else None
    pdm = tool.get("pdm") if isinstance(tool, dict) else None
    sources = pdm.get("source") if isinstance(pdm, dict) else None
    named = [each for each in (sources if isinstance(sources, list) else []) if isinstance(each, dict)]
    urls = [os.path.expandvars(str(each.get("url"))) for each in named if each.get("type", "index") == "index"]
    if not any(each.get("name") == "pypi" for each in named):  # one of this name takes the place of PDM's own
        urls.insert(0, await output_of(("pdm", "config", "pypi.url"), lock.folder))
    return [checked_url(url, f"{project}: tool.pdm.source") for url in urls]


async def _requests(package: Mapping[str, object], indexes: list[str], lock: LockFile) -> Found:
    name, place = str(package["name"]), f"{lock.path}: {package['name']}"
    if "git" in package:
        return [from_git(name)]
    if isinstance(url := package.get("url"), str):
        return [package_file(name, url, place, PDM.file)]
    if _asks_indexes(package):
        return await files_in(indexes, name, locked_files(package["files"], place), PDM, lock.read)
    wanted = python_files(_urls_of(package), lambda file: name_in(str(file["url"])))
    return [
        Wanted(checked_url(str(file["url"]).partition("#")[0], place), PDM.file, from_prefixed(file.get("hash")))
        for file in wanted
    ]
