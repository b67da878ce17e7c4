"""Sitemaps (sitemaps.org): the pages of a site, and other sitemaps."""

from __future__ import annotations

from urllib.parse import urljoin
from xml.parsers import expat

from addon.offline.wanted import Document, Found, Read, SourceError, Wanted
from addon.pipeline.content_codings import CodingError, decode_content
from addon.warm.readers.urls import checked_url, urls_in

MAX_SITEMAPS = 1000
"""Sitemaps that are read for one that the user names."""

MAX_SIZE = 52_428_800
"""The size in bytes of the largest sitemap that the protocol allows."""


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
    reader = _SitemapReader()
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as error:
        place = f"{document.uri}: line {error.lineno}, column {error.offset + 1}"
        raise SourceError(f"{place}: {expat.ErrorString(error.code)}, expected a sitemap") from None
    except _DoctypeError:
        raise SourceError(f"{document.uri}: found a document type declaration, which a sitemap must not have") from None
    if reader.root not in ("urlset", "sitemapindex"):
        raise SourceError(f'{document.uri}: found "{reader.root}", expected urlset or sitemapindex')
    return reader.root, [checked_url(urljoin(document.uri, location), document.uri) for location in reader.locations]


class _DoctypeError(Exception):
    """The document has a document type declaration. Its entities could expand without limit."""


class _SitemapReader:
    """Collects the text of every `loc` that is a child of a `url` or `sitemap`."""

    def __init__(self) -> None:
        self.root = ""
        self.locations: list[str] = []
        self._path: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse_doctype(self, *_: object) -> None:
        raise _DoctypeError

    def _begin(self, name: str, _attributes: object) -> None:
        self._path.append(name.rpartition(" ")[2])
        self.root = self.root or self._path[0]
        if self._in_location():
            self.locations.append("")

    def _end(self, _name: str) -> None:
        if self._in_location():
            self.locations[-1] = self.locations[-1].strip()
        self._path.pop()

    def _text(self, text: str) -> None:
        if self._in_location():
            self.locations[-1] += text

    def _in_location(self) -> bool:
        return self._path[1:] in (["url", "loc"], ["sitemap", "loc"])
