"""The GET requests of a HAR file, as browsers save one."""

from __future__ import annotations

from pathlib import Path

from addon.offline.wanted import Found, SourceError, Wanted, read_json
from addon.warm.readers.urls import checked

NEGOTIATED = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
"""Request fields that are asked with again. Never a credential: a HAR holds those of whoever saved it."""


def found_in(file: Path) -> Found:
    """Return what the requests of a HAR asked for. Raises SourceError, naming the entry that is none."""
    log = read_json(file).get("log")
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise SourceError(f"{file}: expected a HAR, whose log has a list of entries")
    return [wanted for number, entry in enumerate(entries) if (wanted := _wanted(entry, f"{file}: entry {number}"))]


def _wanted(entry: object, place: str) -> Wanted | None:
    """Return what an entry asks for, or None where it is nothing that can be fetched beforehand."""
    match entry:
        case {"request": {"method": str(method), "url": str(url), "headers": list(headers)}}:
            if method != "GET" or not url.startswith(("http://", "https://")):
                return None
            lines = [
                (name, value)
                for header in headers
                if isinstance(header, dict)
                and isinstance(name := header.get("name"), str)
                and isinstance(value := header.get("value"), str)
                and name.lower() in NEGOTIATED
            ]
            return Wanted(checked(url.partition("#")[0], place), tuple(lines))
    raise SourceError(f"{place}: expected a request with method, url and headers")
