"""The files that Maven requests beside a file of a repository."""

from __future__ import annotations

from collections.abc import Iterator

from addon.offline.wanted import Digest, Wanted

# the request fields that Maven sends; the user agent and those that forbid a cache's copy make no difference
MAVEN_FIELDS = (("Accept-Encoding", "gzip,deflate"),)


def with_checksum(url: str, digest: Digest | None = None) -> Iterator[Wanted]:
    """Iterate over a file and its checksum, which Maven requests unless it has one from elsewhere."""
    yield Wanted(url, MAVEN_FIELDS, digest)
    yield Wanted(f"{url}.sha1", MAVEN_FIELDS, may_be_absent=True)
