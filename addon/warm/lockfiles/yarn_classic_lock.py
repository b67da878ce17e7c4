"""yarn.lock of Yarn 1: it names the URL of each tarball, and Yarn requests just these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from addon.offline.wanted import Digest, Found, Missing, SourceError, Wanted
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import from_git, package_file

# the request fields that Yarn sends for tarballs
TARBALL_FIELDS = (
    ("Accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"),
    ("Accept-Encoding", "gzip"),
)

_VALUE = re.compile(r'  (?P<name>version|resolved|integrity) (?P<quote>"?)(?P<value>.+)(?P=quote)')


@dataclass(slots=True)
class _Entry:
    name: str
    place: str
    values: dict[str, str] = field(default_factory=dict)


def found_in(lock: LockFile, text: str) -> Found:
    """Return the tarballs of every package. Raises SourceError."""
    return [found for entry in _entries(text, str(lock.path)) if (found := _tarball(entry))]


def _entries(text: str, file: str) -> Iterator[_Entry]:
    """Iterate over the packages. Each begins with a line without indentation that ends in a colon."""
    entry = None
    for number, line in enumerate(text.splitlines(), start=1):
        place = f"{file}: line {number}"
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if entry:
                yield entry
            entry = _Entry(_name_in(line, place), place)
        elif entry is None:
            raise SourceError(f"{place}: expected the name of a package and a colon")
        elif value := _VALUE.fullmatch(line.rstrip()):
            entry.values[value["name"]] = value["value"]
    if entry:
        yield entry


def _name_in(line: str, place: str) -> str:
    """Return the name of the package in a line like `"@a/b@^1.0.0", "@a/b@^1.1.0":`."""
    match = re.match(r'"?(?P<name>@?[^@"\s,]+)@.*:\s*$', line)
    if match is None:
        raise SourceError(f"{place}: expected the name of a package, its range of versions and a colon")
    return match["name"]


def _tarball(entry: _Entry) -> Wanted | Missing | None:
    resolved = entry.values.get("resolved")
    if resolved is None:
        return None  # a package on this machine
    url, _, fragment = resolved.partition("#")
    if url.startswith("git") or url.endswith(".git"):
        return from_git(entry.name)
    digest = from_integrity(entry.values.get("integrity"))
    if digest is None and re.fullmatch("[0-9a-f]{40}", fragment):
        digest = Digest("sha1", fragment)
    return package_file(entry.name, url, entry.place, TARBALL_FIELDS, digest)
