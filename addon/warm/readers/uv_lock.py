"""uv.lock: the files for this machine."""

from __future__ import annotations

import tomllib
from pathlib import Path

from addon.offline.wanted import Digest, Found, Missing, SourceError, Wanted, read_text
from addon.warm.readers.urls import checked_url
from addon.warm.readers.wheels import for_this_machine

# the request fields that uv sends for files; without content coding, since uv checks their digests
UV_FILE_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "identity"))


def found_in(file: Path) -> Found:
    """Return the files of every package. Raises SourceError."""
    try:
        packages = tomllib.loads(read_text(file)).get("package", [])
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{file}: {error}") from None
    if not isinstance(packages, list):
        raise SourceError(f"{file}: expected [[package]] tables")
    return [each for number, package in enumerate(packages, start=1) for each in _files(package, f"{file}: #{number}")]


def _files(package: object, place: str) -> Found:
    match package:
        case {"name": str(name), "source": dict(source), **rest}:
            if "git" in source:
                return [Missing(name, "it comes from a Git repository: clone it through the proxy")]
            if "registry" not in source and "url" not in source:
                return []  # a package on this machine
            listed = [*_list(rest.get("wheels")), rest.get("sdist")]
            files = [file for file in listed if isinstance(file, dict) and isinstance(file.get("url"), str)]
            wanted = for_this_machine(files, lambda file: file["url"].partition("#")[0].rpartition("/")[2])
            if not wanted:
                return [Missing(name, f"{place} names no URL of a file for this machine")]
            return [
                Wanted(checked_url(file["url"], place), UV_FILE_FIELDS, _digest(file.get("hash"))) for file in wanted
            ]
    raise SourceError(f"{place}: expected a package with name and source")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _digest(text: object) -> Digest | None:
    algorithm, colon, value = text.partition(":") if isinstance(text, str) else ("", "", "")
    return Digest(algorithm, value.lower()) if colon else None
