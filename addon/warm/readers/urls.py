"""URLs that a person names, and files of them."""

from __future__ import annotations

from pathlib import Path

from addon.offline.wanted import Found, SourceError, Wanted, read_text
from cache.rules.key import request_for


def found_in(file: Path) -> Found:
    """Return the URLs of a file: one a line, empty lines and lines that begin with "#" left out.

    Raises:
        SourceError: naming the line that is no URL.
    """
    return lines_of(read_text(file), str(file))


def lines_of(text: str, name: str) -> Found:
    """Return the URLs of a text that is called `name`. Raises SourceError."""
    found: Found = []
    for number, line in enumerate(text.splitlines(), start=1):
        uri = line.strip()
        if uri and not uri.startswith("#"):
            found.append(Wanted(checked(uri, f"{name}: line {number}")))
    return found


def checked(uri: str, place: str) -> str:
    """Return a URL that can be asked for. Raises SourceError, naming the place."""
    try:
        request_for(uri)
    except ValueError as error:
        raise SourceError(f"{place}: {error}") from None
    if any(character <= " " or character == "\x7f" or not character.isascii() for character in uri):
        raise SourceError(f'{place}: expected a URL of printable ASCII, found "{uri}"')
    return uri
