"""go.sum: the modules that Go requests from its module proxy."""

from __future__ import annotations

import re
from pathlib import Path

from addon.offline.wanted import Found, SourceError, Wanted, read_text
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.tool import output_of
from addon.warm.readers.urls import is_http

# the request fields that Go's HTTP client sends
GO_FIELDS = (("Accept-Encoding", "gzip"),)

_LINE = re.compile(r"(?P<module>\S+) (?P<version>v\S+?)(?P<mod>/go\.mod)? h1:[0-9A-Za-z+/]{43}=")


async def found_in(lock: LockFile) -> Found:
    """Return the module files: .info and .zip for each version, or .mod for each `/go.mod` line. Raises SourceError."""
    numbered = enumerate(read_text(lock.path).splitlines(), start=1)
    lines = [_parsed(line, f"{lock.path}: line {number}") for number, line in numbered if line.strip()]
    if not lines:
        return []
    proxy = await _module_proxy(lock.folder)
    paths: list[str] = []
    for line in lines:
        base = f"{_escaped(line['module'])}/@v/{_escaped(line['version'])}"
        paths += [f"{base}.mod"] if line["mod"] else [f"{base}.info", f"{base}.zip"]
    return [Wanted(f"{proxy}/{path}", GO_FIELDS) for path in paths]


def _parsed(line: str, place: str) -> re.Match[str]:
    if match := _LINE.fullmatch(line.strip()):
        return match
    raise SourceError(f"{place}: expected a module, a version and an h1 hash")


async def _module_proxy(folder: Path) -> str:
    """Return the first HTTP module proxy of Go's configuration. Raises SourceError."""
    value = await output_of(("go", "env", "GOPROXY"), folder, {"GOTOOLCHAIN": "local"})
    for proxy in re.split("[,|]", value):
        if is_http(proxy):
            return proxy.rstrip("/")
    raise SourceError(f'go env GOPROXY: found "{value}", expected the URL of a module proxy')


def _escaped(text: str) -> str:
    """Return a path or version as in module proxy URLs: each capital as an exclamation mark and the small letter."""
    return re.sub("[A-Z]", lambda capital: f"!{capital[0].lower()}", text)
