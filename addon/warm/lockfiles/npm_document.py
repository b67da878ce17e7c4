"""The document in which an npm registry says what it has of a package: it names the tarball of each version."""

from __future__ import annotations

import json

from addon.offline.wanted import Digest, Document, Fields, SourceError, Wanted
from addon.warm.lockfiles.digests import from_integrity
from addon.warm.readers.urls import checked_url

SHORT_FORM = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
"""The value of Accept for the form of a document that has only what an installation needs."""


def document_of(registry: str, name: str, fields: Fields) -> Wanted:
    """Return the document of a package in a registry, with the request fields of a program."""
    return Wanted(f"{registry}/{name.replace('/', '%2f')}", fields)


def tarball_in(document: Document, version: str) -> tuple[str, Digest | None]:
    """Return the URL and the digest of the tarball of a version. Raises SourceError."""
    try:
        dist = json.loads(document.content)["versions"][version]["dist"]
        return checked_url(dist["tarball"], document.uri), from_integrity(dist.get("integrity"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SourceError(f"{document.uri}: expected a tarball of version {version}") from None
