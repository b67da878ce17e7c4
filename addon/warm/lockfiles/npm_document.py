"""The document in which an npm registry says what it has of a package: it names the tarball of each version."""

from __future__ import annotations

import json
from collections.abc import Callable

from addon.offline.wanted import Digest, Document, Fields, Found, Missing, Read, SourceError, Wanted
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.readers.urls import checked_url

SHORT_FORM = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
"""The value of Accept for the form of a document that has only what an installation needs."""


async def document_and_tarball(
    document: Wanted,
    version: str,
    read: Read,
    tarball: Callable[[str, Digest | None], Wanted],
) -> Found:
    """Return the document of a package, and the tarball that it names for a version.

    Args:
        document: The document.
        version: The version.
        read: Fetches the document.
        tarball: Makes a request of the URL of a tarball, and of its digest.
    """
    try:
        url, digest = _tarball_in(await read(document), version)
    except SourceError as error:
        where, _, why = str(error).partition(": ")
        return [Missing(where, why)]
    return [document, tarball(url, digest)]


def document_of(registry: str, name: str, fields: Fields) -> Wanted:
    """Return the document of a package in a registry, with the request fields of a program."""
    return Wanted(f"{registry}/{name.replace('/', '%2f')}", fields)


def _tarball_in(document: Document, version: str) -> tuple[str, Digest | None]:
    """Return the URL and the digest of the tarball of a version. Raises SourceError."""
    try:
        dist = json.loads(document.content)["versions"][version]["dist"]
        return checked_url(dist["tarball"], document.uri), from_integrity(dist.get("integrity"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SourceError(f"{document.uri}: expected a tarball of version {version}") from None
