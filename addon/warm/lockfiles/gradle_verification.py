"""gradle/verification-metadata.xml: every file that Gradle uses, with its digests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from addon.offline.wanted import Digest, Found, Missing, SourceError, Wanted, read_text
from addon.warm.lockfiles.digests import from_hashes
from addon.warm.lockfiles.gradle_lockfile import GRADLE_FIELDS, repositories_of
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.maven_repository import LocatedModule, Module
from addon.warm.readers.urls import checked_url
from addon.warm.readers.xml_file import Element, parse_xml


async def found_in(lock: LockFile) -> Found:
    """Return the metadata of every module, and the files that the file lists. Raises SourceError."""
    root = parse_xml(read_text(lock.path).encode(), str(lock.path))
    if root.name != "verification-metadata":
        raise SourceError(f'{lock.path}: found "{root.name}", expected verification-metadata')
    components = list(root.all("components", "component"))
    if not components:
        return []
    repositories = repositories_of(lock)
    modules = [_module(each, f"{lock.path}: component {number}") for number, each in enumerate(components, start=1)]
    found: Found = []
    for component, located in zip(components, await asyncio.gather(*map(repositories.locate, modules)), strict=True):
        if isinstance(located, Missing):
            found.append(located)
            continue
        found += located.metadata
        found += _listed_files(component, located, str(lock.path))
    return found


def _module(component: Element, place: str) -> Module:
    values = [component.attributes.get(key, "") for key in ("group", "name", "version")]
    if not all(values):
        raise SourceError(f"{place}: expected group, name and version")
    return Module(*values)


def _listed_files(component: Element, located: LocatedModule, file: str) -> Iterator[Wanted]:
    read_already = {wanted.uri for wanted in located.metadata}
    for artifact in component.all("artifact"):
        url = f"{located.base}/{located.module.folder}/{artifact.attributes.get('name', '')}"
        if url not in read_already:
            yield Wanted(checked_url(url, f"{file}: {located.module}"), GRADLE_FIELDS, _digest(artifact))


def _digest(artifact: Element) -> Digest | None:
    """Return the digest of a file; None if several contents are trusted."""
    if any(each.children for each in artifact.children):
        return None
    return from_hashes({each.name: each.attributes.get("value", "") for each in artifact.children})
