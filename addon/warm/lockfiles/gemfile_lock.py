"""Gemfile.lock: the gems, and the index of each server of gems, which Bundler reads first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from addon.offline.wanted import Digest, Found, Missing, SourceError, Wanted, read_text
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.package_places import not_http
from addon.warm.lockfiles.this_machine import is_gem_platform
from addon.warm.readers.urls import checked_url, is_http

# the request fields that Bundler and RubyGems send
GEM_FIELDS = (("Accept", "*/*"), ("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"))

_GEM = re.compile(r"(?P<name>[A-Za-z0-9._-]+) \((?P<version>[0-9][^-\s)]*)(?:-(?P<platform>[^)\s]+))?\)")
_CHECKSUM = re.compile(r"(?P<gem>\S+ \([^)]+\)) sha256=(?P<value>[0-9a-f]{64})")


@dataclass(slots=True)
class _Server:
    """A section GEM: a server of gems, and the gems that come from it."""

    place: str
    remotes: list[str] = field(default_factory=list)
    gems: list[re.Match[str]] = field(default_factory=list)


async def found_in(lock: LockFile) -> Found:
    """Return what Bundler requests from each server of gems. Raises SourceError."""
    text = read_text(lock.path)
    servers, repositories = _sections(text, str(lock.path))
    checksums = {match["gem"]: match["value"] for match in _CHECKSUM.finditer(text)}
    if not servers and not repositories:
        raise SourceError(f'{lock.path}: expected a section "GEM" with remote and specs')
    missing = [Missing(url, "it is a Git repository: clone it through the proxy") for url in repositories]
    return [*missing, *(each for server in servers for each in _requests(server, checksums))]


def _sections(text: str, file: str) -> tuple[list[_Server], list[str]]:
    """Return the servers of gems, and the Git repositories. Raises SourceError."""
    servers: list[_Server] = []
    repositories: list[str] = []
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        place = f"{file}: line {number}"
        if line and not line.startswith(" "):
            section = line.strip()
            if section == "GEM":
                servers.append(_Server(place))
        elif section == "GIT" and line.startswith("  remote: "):
            repositories.append(line.partition(": ")[2].strip())
        elif section == "GEM":
            _read_line(line, servers[-1], place)
    return servers, repositories


def _read_line(line: str, server: _Server, place: str) -> None:
    """Add what a line of a section GEM says. Raises SourceError."""
    if line.startswith("  remote: "):
        server.remotes.append(line.partition(": ")[2].strip().rstrip("/"))
    elif re.match("    [^ ]", line):  # deeper lines are what a gem needs
        gem = _GEM.fullmatch(line.strip())
        if gem is None:
            raise SourceError(f'{place}: expected a gem like "name (1.0.0)", found "{line.strip()}"')
        server.gems.append(gem)


def _requests(server: _Server, checksums: dict[str, str]) -> Iterator[Wanted | Missing]:
    if not server.gems:
        return
    if not server.remotes:
        raise SourceError(f"{server.place}: expected the remote of this section")
    for remote in server.remotes:
        if not is_http(remote):
            yield not_http(remote, remote)
            continue
        yield Wanted(checked_url(f"{remote}/versions", server.place), GEM_FIELDS)
        # gems of several remotes are each on one of them
        others = len(server.remotes) > 1
        for name in dict.fromkeys(gem["name"] for gem in server.gems):
            yield Wanted(f"{remote}/info/{name}", GEM_FIELDS, may_be_absent=others)
            yield from _gem_files(name, remote, server, checksums, may_be_absent=others)


def _gem_files(
    name: str, remote: str, server: _Server, checksums: dict[str, str], *, may_be_absent: bool
) -> Iterator[Wanted | Missing]:
    """Iterate over the file of a gem for this machine; that for every platform, if there is no other."""
    gems = [gem for gem in server.gems if gem["name"] == name]
    built = [gem for gem in gems if gem["platform"] and is_gem_platform(gem["platform"])]
    chosen = built or [gem for gem in gems if not gem["platform"]]
    if not chosen:
        yield Missing(name, "the lock file names no gem for this platform: add it with bundle lock --add-platform")
    for gem in chosen:
        version = gem["version"] + (f"-{gem['platform']}" if gem["platform"] else "")
        checksum = checksums.get(f"{name} ({version})")
        digest = Digest("sha256", checksum) if checksum else None
        yield Wanted(f"{remote}/gems/{name}-{version}.gem", GEM_FIELDS, digest, may_be_absent)
