"""HAR files, as browsers save them: the GET requests."""

from __future__ import annotations

from pathlib import Path

from addon.offline.wanted import Found, SourceError, Wanted, read_json
from addon.warm.readers.urls import checked_url, is_http

KEPT_FIELDS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
"""Request fields that are sent again. Never a credential: a HAR file has those of the user who saved it."""


def found_in(file: Path) -> Found:
    """Return the GET requests of a HAR file. Raises SourceError, which names the malformed entry."""
    log = read_json(file).get("log")
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise SourceError(f"{file}: expected a HAR, whose log has a list of entries")
    return [wanted for number, entry in enumerate(entries) if (wanted := _wanted(entry, f"{file}: entry {number}"))]


def _wanted(entry: object, place: str) -> Wanted | None:
    """Return the request of an entry, or None if it is not a GET request over HTTP."""
    match entry:
        case {"request": {"method": str(method), "url": str(url), "headers": list(headers)}}:
            if method != "GET" or not is_http(url):
                return None
            lines = [
                (name, value)
                for header in headers
                if isinstance(header, dict)
                and isinstance(name := header.get("name"), str)
                and isinstance(value := header.get("value"), str)
                and name.lower() in KEPT_FIELDS
            ]
            return Wanted(checked_url(url.partition("#")[0], place), tuple(lines))
    raise SourceError(f"{place}: expected a request with method, url and headers")
