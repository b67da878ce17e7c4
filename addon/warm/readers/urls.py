"""URLs that the user names, and files with lists of them."""

from __future__ import annotations

from pathlib import Path

from addon.offline.wanted import Found, SourceError, Wanted, read_text
from cache.rules.key import request_for


def found_in(file: Path) -> Found:
    """Return the URLs of a file: one per line, without empty lines and lines that begin with "#".

    Raises:
        SourceError: a line is not a URL; the text names it.
    """
    return urls_in(read_text(file), str(file))


def urls_in(text: str, name: str) -> Found:
    """Return the URLs of a text, one per line; `name` is for error messages. Raises SourceError."""
    found: Found = []
    for number, line in enumerate(text.splitlines(), start=1):
        uri = line.strip()
        if uri and not uri.startswith("#"):
            found.append(Wanted(checked_url(uri, f"{name}: line {number}")))
    return found


def checked_url(uri: str, place: str) -> str:
    """Return the URL if it can be requested. Raises SourceError, whose text begins with `place`."""
    try:
        request_for(uri)
    except ValueError as error:
        raise SourceError(f"{place}: {error}") from None
    if any(character <= " " or character == "\x7f" or not character.isascii() for character in uri):
        raise SourceError(f'{place}: expected a URL of printable ASCII, found "{uri}"')
    return uri


def is_http(uri: str) -> bool:
    """Return whether a URL is one of HTTP or HTTPS. No other is ever fetched."""
    return uri.lower().startswith(("http://", "https://"))
