"""Files whose names and digests a Python lock file gives, but whose URLs only an index does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from addon.offline.wanted import Digest, Fields, Found, Missing, Read, SourceError, Wanted
from addon.warm.lockfiles.digests import from_prefixed
from addon.warm.lockfiles.simple_index import ProjectFile, files_of
from addon.warm.lockfiles.this_machine import python_files
from addon.warm.lockfiles.tool import output_of


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A file of a package in a lock file."""

    name: str
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """The request fields that a package manager sends."""

    index: Fields
    file: Fields


def locked_files(listed: object, place: str) -> list[LockedFile]:
    """Return the files of a list of tables with `file` and `hash`. Raises SourceError, whose text begins with place."""
    files = []
    for each in listed if isinstance(listed, list) else [None]:
        match each:
            case {"file": str(name), **rest}:
                files.append(LockedFile(name, from_prefixed(rest.get("hash"))))
            case _:
                raise SourceError(f"{place}: expected files, each with file and hash")
    return files


async def files_in(
    indexes: Sequence[str], package: str, files: Sequence[LockedFile], client: Client, read: Read
) -> Found:
    """Return the package's page in each index, and the files for this machine from the first page that has them."""
    pages = [Wanted(f"{url.rstrip('/')}/{canonicalize_name(package)}/", client.index) for url in indexes]
    found: Found = []
    listed: dict[str, ProjectFile] = {}
    problems = []
    for page in pages:
        try:
            for file in files_of(await read(page)):
                listed.setdefault(file.name, file)
            found.append(page)
        except SourceError as error:
            problems.append(str(error))
            found.append(replace(page, may_be_absent=True))
    if not listed:
        return [Missing(package, "; ".join(problems))]
    return [*found, *located(package, files, listed, client)]


def located(package: str, files: Sequence[LockedFile], listed: dict[str, ProjectFile], client: Client) -> Found:
    """Return the files for this machine, with the URLs of the files of those names that an index lists."""
    wanted: Found = []
    for file in python_files(files, lambda each: each.name):
        if file.name in listed:
            wanted.append(Wanted(listed[file.name].uri, client.file, file.digest))
        else:
            wanted.append(Missing(file.name, "the index does not list it"))
    return wanted or [Missing(package, "the lock file names no file for this machine")]


def name_in(uri: str) -> str:
    """Return the name of the file at a URL."""
    return uri.partition("#")[0].rpartition("/")[2]


async def default_index() -> str:
    """Return the index of pip without any configuration. Raises SourceError."""
    default = re.search(r"--index-url.*?\(default\s+(\S+)\)", await output_of(("pip", "help", "download")), re.DOTALL)
    if default is None:
        raise SourceError("pip help download: expected the default of --index-url")
    return default[1]
