"""What is to be fetched, and what a source is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path


class SourceError(Exception):
    """A source that cannot be read. The text names the file, the place in it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a lock file says the octets are."""

    algorithm: str
    """A name that hashlib knows."""
    value: str
    """In lower-case hexadecimal."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A URL, with the request fields of the program that will ask for it later."""

    uri: str
    fields: tuple[tuple[str, str], ...] = ()
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a source names and no URL was found for."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Document:
    """Content that was fetched to be read here, its coding taken off."""

    uri: str
    """Where it came from after redirects."""
    content: bytes
    media_type: str


Read = Callable[[Wanted], Awaitable[Document]]
"""Fetches a document, through the cache. Raises SourceError."""

Found = list[Wanted | Missing]


def read_text(file: Path) -> str:
    """Return a file of text. Raises SourceError."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"{file}: expected a file to read, found: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SourceError(f"{file}: found octets that are not UTF-8 at offset {error.start}, expected text") from None


def read_json(file: Path) -> dict[str, object]:
    """Return a JSON object from a file. Raises SourceError, with line and column where it is not JSON."""
    try:
        found = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise SourceError(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}, expected JSON") from None
    except RecursionError:
        raise SourceError(f"{file}: nested too deeply") from None
    if not isinstance(found, dict):
        raise SourceError(f"{file}: expected a JSON object")
    return found
