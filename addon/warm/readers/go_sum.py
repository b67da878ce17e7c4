"""go.sum: the modules that Go asks its module proxy for."""

from __future__ import annotations

import re
from pathlib import Path

from addon.offline.wanted import Found, SourceError, Wanted, read_text
from addon.warm.readers.tool import said_by

# what Go's HTTP client sends of its own
FIELDS = (("Accept-Encoding", "gzip"),)

_LINE = re.compile(r"(?P<module>\S+) (?P<version>v\S+?)(?P<mod>/go\.mod)? h1:[0-9A-Za-z+/]{43}=")


async def found_in(file: Path) -> Found:
    """Return the files of every module: what is only in the graph has a go.mod. Raises SourceError."""
    matched = [_matched(line, f"{file}: line {number}") for number, line in enumerate(_lines(file), 1) if line.strip()]
    if not matched:
        return []
    proxy = await _module_proxy()
    paths: list[str] = []
    for line in matched:
        base = f"{_escaped(line['module'])}/@v/{_escaped(line['version'])}"
        paths += [f"{base}.mod"] if line["mod"] else [f"{base}.info", f"{base}.zip"]
    return [Wanted(f"{proxy}/{path}", FIELDS) for path in dict.fromkeys(paths)]


def _lines(file: Path) -> list[str]:
    return read_text(file).splitlines()


def _matched(line: str, place: str) -> re.Match[str]:
    if match := _LINE.fullmatch(line.strip()):
        return match
    raise SourceError(f"{place}: expected a module, a version and an h1 hash")


async def _module_proxy() -> str:
    """Return the first proxy of Go's own configuration."""
    said = await said_by("go", "env", "GOPROXY")
    for proxy in re.split("[,|]", said):
        if proxy.startswith(("http://", "https://")):
            return proxy.rstrip("/")
    raise SourceError(f'go env GOPROXY: found "{said}", expected the URL of a module proxy')


def _escaped(text: str) -> str:
    """Return a path or version as module proxies have it: an exclamation mark before what was a capital."""
    return re.sub("[A-Z]", lambda capital: f"!{capital[0].lower()}", text)
