"""Sitemaps (sitemaps.org): the pages of a site, and other sitemaps."""

from __future__ import annotations

from urllib.parse import urljoin

from addon.offline.wanted import Document, Found, Read, SourceError, Wanted
from addon.pipeline.content_codings import CodingError, decode_content
from addon.warm.readers.urls import checked_url, urls_in
from addon.warm.readers.xml_file import parse_xml

MAX_SITEMAPS = 1000
"""Sitemaps that are read for one that the user names."""

MAX_SIZE = 52_428_800
"""The size in bytes of the largest sitemap that the protocol allows."""

ENTRIES = {"urlset": "url", "sitemapindex": "sitemap"}
"""The name of the elements with a `loc`, for each name of the root element."""


async def found_in(uri: str, read: Read) -> Found:
    """Return the pages of a sitemap, and of the sitemaps that it refers to. Raises SourceError."""
    found: Found = []
    unread, seen = [checked_url(uri, "--sitemap")], {uri}
    while unread:
        document = await read(Wanted(unread.pop(0)))
        kind, locations = _locations(document)
        if kind != "sitemapindex":
            found += [Wanted(location) for location in locations]
            continue
        new = [location for location in dict.fromkeys(locations) if location not in seen]
        seen.update(new)
        unread += new
        if len(seen) > MAX_SITEMAPS:
            raise SourceError(f"{uri}: refers to more than {MAX_SITEMAPS} sitemaps")
    return found


def _locations(document: Document) -> tuple[str, list[str]]:
    """Return the name of the root element, and the content of every `loc` as an absolute URL. Raises SourceError."""
    content = document.content
    if content.startswith(b"\x1f\x8b"):  # a compressed file, without Content-Encoding
        try:
            content = decode_content(content, "gzip", MAX_SIZE)
        except CodingError as error:
            raise SourceError(f"{document.uri}: {error}") from None
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):  # the protocol also allows plain text
        urls = urls_in(content.decode(errors="replace"), document.uri)
        return "", [each.uri for each in urls if isinstance(each, Wanted)]
    root = parse_xml(content, document.uri)
    if root.name not in ENTRIES:
        raise SourceError(f'{document.uri}: found "{root.name}", expected {" or ".join(ENTRIES)}')
    locations = (each.text.strip() for each in root.all(ENTRIES[root.name], "loc"))
    return root.name, [checked_url(urljoin(document.uri, location), document.uri) for location in locations]
