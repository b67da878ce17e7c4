"""The places that packages come from: URLs of HTTP, which are fetched, and others, which are missing."""

from __future__ import annotations

from addon.offline.wanted import Digest, Fields, Missing, Wanted
from addon.warm.readers.urls import checked_url, is_http


def package_file(name: str, uri: str, place: str, fields: Fields, digest: Digest | None = None) -> Wanted | Missing:
    """Return the URL of a package's file with the request fields of the program; Missing if it is none of HTTP.

    Raises:
        SourceError: the URL cannot be requested; the text begins with `place`.
    """
    return Wanted(checked_url(uri, place), fields, digest) if is_http(uri) else not_http(name, uri)


def not_http(name: str, uri: str) -> Missing:
    """Return that a package comes from a place that is not fetched over HTTP."""
    return Missing(name, f"it comes from {uri}, which is no HTTP URL")


def from_git(name: str) -> Missing:
    """Return that a package comes from a Git repository."""
    return Missing(name, "it comes from a Git repository: clone it through the proxy")
