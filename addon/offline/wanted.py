"""URLs to prefetch, and the documents that name them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

DIGEST_ALGORITHMS = ("sha512", "sha384", "sha256", "sha224", "sha1", "md5")
"""The algorithms of digests that are checked, as hashlib names them, strongest first. Old indexes of pip have MD5 only.

Others that hashlib knows have digests of any length (SHAKE), or no lock file names them.
"""


class SourceError(Exception):
    """A file or document with URLs cannot be read. The text names it, the position in it, and what was expected."""

    def as_missing(self) -> Missing:
        """Return the file or document that the text begins with, and the rest of the text as the reason."""
        name, _, why = str(self).partition(": ")
        return Missing(name, why)


class NotThereError(SourceError):
    """A document cannot be fetched, or is not in the store."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of a content, as a lock file names it."""

    algorithm: str
    """One of DIGEST_ALGORITHMS, or a content cannot be checked."""
    value: str
    """In lower-case hexadecimal."""


Fields = tuple[tuple[str, str], ...]
"""Request fields, as names and values."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A URL to fetch, with the request fields of the program that will request it later."""

    uri: str
    fields: Fields = ()
    digest: Digest | None = None
    """The expected digest of the content; None if any content is accepted."""
    may_be_absent: bool = field(default=False, compare=False)
    """The program also goes on if the origin says that there is no such resource."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An item of a source, such as a package, for which no URL was found."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Document:
    """A fetched document without its content coding, to be parsed for further URLs."""

    uri: str
    """The URL after redirects."""
    content: bytes
    media_type: str


Read = Callable[[Wanted], Awaitable[Document]]
"""Fetches a document through the cache. Raises SourceError."""

Found = list[Wanted | Missing]


def read_text(file: Path) -> str:
    """Return the text of a UTF-8 file. Raises SourceError."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"{file}: expected a file to read, found: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SourceError(f"{file}: found bytes that are not UTF-8 at offset {error.start}, expected text") from None


def read_json(file: Path) -> dict[str, object]:
    """Return the JSON object in a file. Raises SourceError, with line and column if it is not JSON."""
    return json_in(read_text(file), file)


def json_in(text: str, file: Path) -> dict[str, object]:
    """Return the JSON object in the text of a file. Raises SourceError, with line and column if it is not JSON."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}, expected JSON") from None
    except RecursionError:
        raise SourceError(f"{file}: nested too deeply") from None
    if not isinstance(found, dict):
        raise SourceError(f"{file}: expected a JSON object")
    return found


def read_toml(file: Path) -> dict[str, object]:
    """Return the tables in a TOML file. Raises SourceError, with line and column if it is not TOML."""
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{file}: {error}, expected TOML") from None
    except RecursionError:
        raise SourceError(f"{file}: nested too deeply") from None


def list_in(table: dict[str, object], key: str, file: Path) -> list[object]:
    """Return the list in a table, empty if there is none. Raises SourceError if it is no list."""
    found = table.get(key, [])
    if not isinstance(found, list):
        raise SourceError(f'{file}: expected a list under "{key}"')
    return found
