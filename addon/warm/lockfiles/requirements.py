"""requirements.txt: the files of each project, as pip finds them in the index that it is configured for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urldefrag, urljoin

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from addon.offline.wanted import Found, Missing, Read, SourceError, Wanted, read_text
from addon.warm.lockfiles.digests import from_hashes
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import package_file
from addon.warm.lockfiles.python_index import default_index
from addon.warm.lockfiles.simple_index import PIP_INDEX_FIELDS, ProjectFile, files_of
from addon.warm.lockfiles.this_machine import python_files
from addon.warm.lockfiles.tool import output_of
from addon.warm.readers.urls import checked_url, is_http

# the request fields that pip sends for files
PIP_FILE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "identity"))

# the value of a short option may follow it without a space
_OPTION = re.compile(r"(?P<name>--[a-z-]+(?=[\s=]|$)|-[a-z])[\s=]?\s*(?P<value>\S*)")
_HASH = re.compile(r"\s+--hash[= ](?P<algorithm>\w+):(?P<value>[0-9A-Fa-f]+)")


@dataclass(frozen=True, slots=True)
class _Pin:
    requirement: Requirement
    hashes: frozenset[tuple[str, str]]


async def found_in(lock: LockFile) -> Found:
    """Return the pages of the projects and their files for this machine. Raises SourceError."""
    file, read = lock.path, lock.read
    options: dict[str, str] = {}
    entries = list(_entries(lock, file, options, set()))
    pins = [each for each in entries if isinstance(each, _Pin)]
    unread: Found = [each for each in entries if isinstance(each, Missing)]
    if all(pin.requirement.url for pin in pins):
        return [*unread, *(each for pin in pins for each in _direct(pin, file))]
    indexes = await _indexes(options, lock.folder)
    if not indexes:
        raise SourceError(f"{file}: pip is configured for no index with an HTTP URL")
    found = await asyncio.gather(*(_found(pin, indexes, file, read) for pin in pins))
    return [*unread, *(each for part in found for each in part)]


# ---- reading the file


def _entries(lock: LockFile, file: Path, options: dict[str, str], seen: set[Path]) -> Iterator[_Pin | Missing]:
    """Iterate over the requirements of a file, and of the files that it includes; put index options into `options`.

    If the lock file is alone, the files that it includes are missing.
    """
    seen.add(file.resolve())
    for number, line in _logical_lines(read_text(file)):
        place = f"{file}: line {number}"
        if not line.startswith("-"):
            yield _pin(line, place)
            continue
        option = _OPTION.match(line)
        name, value = (option["name"], option["value"]) if option else ("", "")
        if name in ("-r", "--requirement") and lock.is_alone:
            yield Missing(line, "only the lock file itself is read: check the included file by itself")
        elif name in ("-r", "--requirement"):
            if (other := file.parent / value).resolve() not in seen:
                yield from _entries(lock, other, options, seen)
        elif name in ("-i", "--index-url", "--extra-index-url"):
            options["index-url" if name == "-i" else name[2:]] = checked_url(value, place)
        elif name in ("-e", "--editable"):
            raise SourceError(f"{place}: expected a pinned requirement, found an editable one")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Iterate over the lines and their numbers, with continued lines joined and without comments."""
    begun, first = "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        first = first if begun else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun += line[:-1] + " "
            continue
        whole, begun = re.sub(r"(^|\s)#.*", "", begun + line).strip(), ""
        if whole:
            yield first, whole
    if begun.strip():
        yield first, begun.strip()


def _pin(line: str, place: str) -> _Pin:
    hashes = frozenset((match["algorithm"], match["value"].lower()) for match in _HASH.finditer(line))
    specifier = re.split(r"\s--?[a-z]", line)[0]
    try:
        requirement = Requirement(specifier)
    except InvalidRequirement as error:
        raise SourceError(f"{place}: expected a requirement: {str(error).splitlines()[0]}") from None
    pinned = [each for each in requirement.specifier if each.operator in ("==", "===") and "*" not in each.version]
    if not pinned and not requirement.url:
        raise SourceError(f'{place}: expected "{requirement.name}==VERSION", found "{specifier}"')
    return _Pin(requirement, hashes)


# ---- searching the indexes of pip


async def _indexes(options: dict[str, str], folder: Path) -> list[str]:
    """Return the URLs of the HTTP indexes: those of the file's options, else those of pip's configuration."""
    configured = {}
    for line in (await output_of(("pip", "config", "list"), folder)).splitlines():
        key, _, value = line.partition("=")
        if (name := key.rpartition(".")[2]) in ("index-url", "extra-index-url"):
            configured[name] = value.strip("'\"")
    main = options.get("index-url") or configured.get("index-url") or await default_index()
    extra = options.get("extra-index-url") or configured.get("extra-index-url", "")
    urls = [url for url in (main, *extra.split()) if is_http(url)]
    return [url.rstrip("/") for url in dict.fromkeys(urls)]


async def _found(pin: _Pin, indexes: list[str], file: Path, read: Read) -> Found:
    if pin.requirement.url:
        return _direct(pin, file)
    name, problems = canonicalize_name(pin.requirement.name), []
    for index in indexes:
        page = Wanted(f"{index}/{name}/", PIP_INDEX_FIELDS)
        try:
            files = files_of(await read(page))
        except SourceError as error:
            problems.append(str(error))
            continue
        if wanted := _chosen(pin, files):
            return [page, *(each for file in wanted for each in _with_metadata(file, pin))]
        problems.append(_why_none(pin, files, page.uri))
    return [Missing(str(pin.requirement), "; ".join(problems))]


def _why_none(pin: _Pin, files: list[ProjectFile], page: str) -> str:
    unhashed = _chosen(replace(pin, hashes=frozenset()), files)
    if pin.hashes and unhashed:  # a typing error, or another file under the same name
        return f"{page} lists {unhashed[0].name}, but with none of the digests of the requirement"
    return f"{page} lists no file of this version for this machine"


def _direct(pin: _Pin, file: Path) -> Found:
    uri, fragment = urldefrag(pin.requirement.url or "")
    algorithm, _, value = fragment.partition("=")
    # one of several hashes may be that of another file
    digest = from_hashes(dict(pin.hashes) or {algorithm: value}) if len(pin.hashes) < 2 else None
    return [package_file(pin.requirement.name, uri, str(file), PIP_FILE_FIELDS, digest)]


def _chosen(pin: _Pin, files: list[ProjectFile]) -> list[ProjectFile]:
    """Return the files that pip may choose: those with the given hashes, else those of the version."""
    if pin.hashes:
        fitting = [file for file in files if pin.hashes & file.hashes]
    else:
        fitting = [file for file in files if _is_of_version(file.name, pin.requirement)]
    return python_files(fitting, lambda file: file.name)


def _is_of_version(name: str, requirement: Requirement) -> bool:
    try:
        version = parse_wheel_filename(name)[1] if name.endswith(".whl") else parse_sdist_filename(name)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return requirement.specifier.contains(version, prereleases=True)


def _with_metadata(file: ProjectFile, pin: _Pin) -> Iterator[Wanted]:
    yield Wanted(file.uri, PIP_FILE_FIELDS, from_hashes(dict(pin.hashes & file.hashes or file.hashes)))
    if file.has_metadata and not pin.hashes:  # pip reads no metadata files if it checks hashes
        yield Wanted(urljoin(file.uri, f"{file.uri}.metadata"), PIP_FILE_FIELDS)
