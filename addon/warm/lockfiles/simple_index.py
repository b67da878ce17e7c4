"""A project's page in a Python package index, as HTML or JSON (the simple repository API)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin

from addon.offline.wanted import Document, SourceError
from addon.warm.readers.urls import checked_url

PIP_INDEX_FIELDS = (
    (
        "Accept",
        "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
    ),
    ("Accept-Encoding", "gzip, deflate"),
)
"""The request fields that pip sends to an index."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One file of a project."""

    name: str
    uri: str
    hashes: frozenset[tuple[str, str]]
    """Pairs of algorithm and lower-case hexadecimal value."""
    has_metadata: bool
    """Its metadata is available as a separate file."""


def files_of(page: Document) -> list[ProjectFile]:
    """Return the files that a page lists. Raises SourceError if it is not a page of an index."""
    if page.media_type == "application/vnd.pypi.simple.v1+json":
        return _files_of_json(page)
    if page.media_type in ("application/vnd.pypi.simple.v1+html", "text/html"):
        parser = _AnchorParser(page.uri)
        parser.feed(page.content.decode(errors="replace"))
        return parser.files
    raise SourceError(f'{page.uri}: found "{page.media_type}", expected a page of a package index')


def _files_of_json(page: Document) -> list[ProjectFile]:
    try:
        listed = json.loads(page.content)["files"]
        return [
            ProjectFile(
                str(file["filename"]),
                checked_url(urljoin(page.uri, file["url"]), page.uri),
                frozenset((str(name), str(value).lower()) for name, value in file["hashes"].items()),
                bool(file.get("core-metadata") or file.get("dist-info-metadata")),
            )
            for file in listed
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SourceError(f"{page.uri}: expected a list of files, each with filename, url and hashes") from None


class _AnchorParser(HTMLParser):
    """Collects the links of a page."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.files: list[ProjectFile] = []
        self._base = base

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add the file of a link."""
        attributes = dict(attrs)
        if tag != "a" or not (href := attributes.get("href")):
            return
        uri, fragment = urldefrag(urljoin(self._base, href))
        algorithm, _, value = fragment.partition("=")
        self.files.append(
            ProjectFile(
                unquote(uri.partition("?")[0].rpartition("/")[2]),
                checked_url(uri, self._base),
                frozenset({(algorithm, value.lower())} if value else ()),
                any(attributes.get(name) for name in ("data-core-metadata", "data-dist-info-metadata")),
            )
        )
