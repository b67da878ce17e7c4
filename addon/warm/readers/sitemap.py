"""Sitemaps (sitemaps.org): the pages of a site, and further sitemaps."""

from __future__ import annotations

from urllib.parse import urljoin
from xml.parsers import expat

from addon.offline.wanted import Document, Found, Read, SourceError, Wanted
from addon.pipeline.content_codings import CodingError, uncoded
from addon.warm.readers.urls import checked, lines_of

MAX_SITEMAPS = 1000
"""Sitemaps read for one that is named."""

MAX_OCTETS = 52_428_800
"""The largest sitemap that the protocol allows."""


async def found_in(uri: str, read: Read) -> Found:
    """Return the pages of a sitemap, and of those it refers to. Raises SourceError."""
    found: Found = []
    unread, seen = [checked(uri, "--sitemap")], {uri}
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
    """Return the root element's name and what every `loc` says, as absolute URLs."""
    content = document.content
    if content.startswith(b"\x1f\x8b"):  # a file that is compressed itself
        try:
            content = uncoded(content, "gzip", MAX_OCTETS)
        except CodingError as error:
            raise SourceError(f"{document.uri}: {error}") from None
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):  # the protocol's plain form
        urls = lines_of(content.decode(errors="replace"), document.uri)
        return "", [each.uri for each in urls if isinstance(each, Wanted)]
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as error:
        place = f"{document.uri}: line {error.lineno}, column {error.offset + 1}"
        raise SourceError(f"{place}: {expat.ErrorString(error.code)}, expected a sitemap") from None
    except _DoctypeError:
        raise SourceError(f"{document.uri}: found a document type, which no sitemap has") from None
    if reader.root not in ("urlset", "sitemapindex"):
        raise SourceError(f'{document.uri}: found "{reader.root}", expected urlset or sitemapindex')
    return reader.root, [checked(urljoin(document.uri, location), document.uri) for location in reader.locations]


class _DoctypeError(Exception):
    """A document type may declare entities, and those may grow without end."""


class _Reader:
    """Gathers the text of every `loc` that stands directly in a `url` or `sitemap`."""

    def __init__(self) -> None:
        self.root = ""
        self.locations: list[str] = []
        self._path: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_: object) -> None:
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
