"""Checksums of Maven's resolver (.mvn/checksums/checksums-central.sha256): every file that Maven fetched.

Maven writes such a file with `-Daether.trustedChecksumsSource.summaryFile=true
-Daether.artifactResolver.postProcessor.trustedChecksums=true
-Daether.artifactResolver.postProcessor.trustedChecksums.record=true`.
"""

from __future__ import annotations

import re

from addon.offline.wanted import Digest, Found, SourceError, read_text
from addon.warm.lockfiles.lock_file import LockFile
from addon.warm.lockfiles.maven_files import with_checksum
from addon.warm.readers.urls import checked_url

_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]+)\s+\*?(?P<path>(?!/)\S+)")
_ALGORITHMS = {"sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}


async def found_in(lock: LockFile) -> Found:
    """Return every file, with its checksum. Raises SourceError."""
    algorithm = _ALGORITHMS.get(lock.path.suffix.removeprefix("."))
    if algorithm is None:
        raise SourceError(f"{lock.path}: expected a name that ends in .{', .'.join(_ALGORITHMS)}")
    if len(lock.indexes) != 1:
        raise SourceError(f"{lock.path}: names no repository: expected its URL with --index")
    base = lock.indexes[0].rstrip("/")
    found: Found = []
    for number, line in enumerate(read_text(lock.path).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        place = f"{lock.path}: line {number}"
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise SourceError(f"{place}: expected a digest and the path of a file in the repository")
        url = checked_url(f"{base}/{match['path']}", place)
        found += with_checksum(url, Digest(algorithm, match["digest"].lower()))
    return found
