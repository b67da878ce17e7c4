"""One response on its way in: parsed by llhttp, judged by RFC 9112 §6.3, held until it is read.

llhttp, as httptools builds it, already refuses bare CR, NUL, control
characters and line folding in field lines, a space before the colon, repeated or conflicting or malformed
Content-Length, Content-Length beside Transfer-Encoding, and broken chunks. What it lets through is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

import httptools

from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.head_cache import CachedHead, HeadCache
from addon.origin.options import OriginOptions
from addon.origin.response_buffer import SMALL, ResponseBuffer
from cache.http.messages import Fields, Response

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HEAD_ONLY = frozenset({"HEAD", "CONNECT"})
_FIELD_LINE_OVERHEAD = len(": \r\n")
_KNOWN = HeadCache()

MAX_KNOWN = 4096
"""Octets of a head that is worth remembering."""


class ResponseReader(ResponseBuffer):
    """The response to one request, parsed and framed."""

    def __init__(
        self, method: str, where: str, options: OriginOptions, interim: Callable[[Response], None] | None = None
    ) -> None:
        """Expect the response to a request with this `method`; `interim` is told of every 1xx before it."""
        super().__init__(where)
        self._method = method
        self._interim = interim
        self._interims = 0
        self._first = b""
        self._left: int | None = None
        self._options = options
        self._made_parser: httptools.HttpResponseParser | None = None
        self._until_close = False
        self._reason = b""
        self._lines: list[tuple[str, str]] = []
        self._section_size = 0
        self._unparsed = 0

    @property
    def _parser(self) -> httptools.HttpResponseParser:
        """Return llhttp, made when there is something to parse: a head that is known needs none."""
        if self._made_parser is None:
            self._made_parser = httptools.HttpResponseParser(self)
        return self._made_parser

    def feed(self, octets: bytes) -> None:
        """Take what the connection received."""
        if not self.received:
            if octets[:1] in {b"R", b"I"}:  # llhttp would also take RTSP/ and ICE/
                self.fail(FailureKind.HTTP_PROTOCOL_ERROR, "does not speak HTTP")
                return
            if known := self._known(octets):
                self._begin_known(known)
                octets = octets[len(self._first) :]
        self.received += len(octets)
        if self._left is not None:
            self._count(octets)
            return
        self._unparsed += len(octets)
        try:
            self._parser.feed_data(octets)
            if not self.complete and self._unparsed > self._options.max_head:
                self._refuse_section_size()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, OriginFailure) as error:
            if self.complete:
                self.surplus = True
            else:
                self.fail(FailureKind.HTTP_PROTOCOL_ERROR, f"sent a malformed response: {error}")
        if self.complete and self._method in _HEAD_ONLY and not octets.endswith(b"\r\n\r\n"):
            self.surplus = True  # llhttp takes what follows for a body, and may not have seen enough of it to say so
        self._wake()

    def _known(self, octets: bytes) -> CachedHead | None:
        """Return what a head came to that was parsed before, if it is all there."""
        end = octets.find(b"\r\n\r\n") + 4
        # llhttp passes over empty lines before a status line: what ends first is then no head
        alone = end > 3 and octets.startswith(b"HTTP/1.") and self._method not in _HEAD_ONLY
        self._first = octets[:end] if alone else b""
        return _KNOWN.get(self._first) if self._first else None

    def _begin_known(self, known: CachedHead) -> None:
        self.received = len(self._first)
        self.head, self.persistent, self._left = known.response, known.persistent, known.length
        self._small = known.length <= SMALL

    def _count(self, octets: bytes) -> None:
        """Take octets of a content that its length alone frames (RFC 9112 §6.3)."""
        left = self._left or 0
        self.surplus = self.surplus or len(octets) > left  # RFC 9112 §9.2
        self._left = left - len(octets[:left])
        if octets and left:
            self.buffered += len(octets[:left])
            self._chunks.append(octets[:left])
        self.complete = self._left == 0
        self._wake()

    def _remember(self, head: Response) -> None:
        """Remember a head that came alone with its content, framed by its length."""
        length = head.fields.get("content-length")
        if self._first and not self._interims and length and not self.complete and len(self._first) < MAX_KNOWN:
            _KNOWN.put(self._first, CachedHead(head, int(length), self.persistent))

    def end(self, *, clean: bool) -> None:
        """Take the end of the connection; `clean` if the peer ended it in order (TLS: with close_notify)."""
        if self.over:
            return
        if self.head is None:
            self.fail(FailureKind.CONNECTION_TERMINATED, "closed the connection before its response head was whole")
        elif self._until_close and clean:  # RFC 9112 §8, §9.8
            self.complete = True
        else:
            self.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "closed the connection before its response was whole")
        self._wake()

    def _refuse(self, kind: FailureKind, what: str) -> NoReturn:
        self.fail(kind, what)
        raise OriginFailure(kind, what)  # only ends the parsing: `feed` finds the failure already noted

    def _refuse_section_size(self) -> NoReturn:
        section = "header" if self.head is None else "trailer"
        self._refuse(self._section_kind, f"sent a {section} section above {self._options.max_head} octets")

    @property
    def _section_kind(self) -> FailureKind:
        header, trailer = FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE, FailureKind.HTTP_RESPONSE_TRAILER_SECTION_SIZE
        return header if self.head is None else trailer

    # llhttp's callbacks

    def on_message_begin(self) -> None:
        """Begin an interim or the final response, or see that something follows it."""
        if self.complete:
            self.surplus = True  # RFC 9112 §9.2: it answers nothing that was asked

    def on_status(self, reason: bytes) -> None:
        """Take a piece of the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field line of a header section or of the trailer section."""
        options = self._options
        size = len(name) + len(value) + _FIELD_LINE_OVERHEAD
        self._section_size += size
        if self._section_size > options.max_head:
            self._refuse_section_size()
        if size > options.max_line:
            self._refuse(FailureKind.HTTP_RESPONSE_HEADER_SIZE, f"sent a field line above {options.max_line} octets")
        if len(self._lines) == options.max_fields:
            self._refuse(self._section_kind, f"sent more than {options.max_fields} field lines")
        self._lines.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Take the end of a header section: pass an interim response on, judge the final one's framing."""
        if self.head is not None:
            return
        status, version = self._parser.get_status_code(), self._parser.get_http_version()
        if version not in {"1.0", "1.1"} or status < 100 or _CONTROL.search(self._reason):
            self._refuse(FailureKind.HTTP_PROTOCOL_ERROR, "sent a malformed status line")
        if status == 101:  # RFC 9110 §15.2.2: nobody asked to upgrade
            self._refuse(FailureKind.HTTP_PROTOCOL_ERROR, "switched protocols unasked")
        fields, reason = Fields(tuple(self._lines)), self._reason.decode("latin-1")
        self._lines, self._reason = [], b""
        if status < 200:  # RFC 9110 §15.2: interim
            self._pass_on(Response(status, reason, fields, f"HTTP/{version}"))
            return
        self._frame(status, version, fields)
        self._section_size = self._unparsed = 0
        self.head = Response(status, reason, fields, f"HTTP/{version}")
        self._remember(self.head)
        length = fields.get("content-length")
        self._small = length is not None and len(length) < 6 and int(length) <= SMALL

    def on_body(self, octets: bytes) -> None:
        """Take octets of the body, transfer coding removed."""
        if self.complete:
            self.surplus = True
            return
        self._unparsed = 0
        self.buffered += len(octets)
        self._chunks.append(octets)

    def on_message_complete(self) -> None:
        """Take the end of an interim or the final response."""
        if self.head is not None and not self.complete:
            self.complete = True
            if self._lines:
                self.trailers, self._lines = Fields(tuple(self._lines)), []

    def _pass_on(self, interim: Response) -> None:
        self._interims += 1
        if self._interims > self._options.max_interim:
            self._refuse(
                FailureKind.HTTP_PROTOCOL_ERROR, f"sent more than {self._options.max_interim} interim responses"
            )
        if self._interim is not None:
            self._interim(interim)

    def _frame(self, status: int, version: str, fields: Fields) -> None:
        """Settle where the body ends and what becomes of the connection (RFC 9112 §6.3, §9.3)."""
        codings = fields.get("transfer-encoding")
        if codings is not None and (version == "1.0" or codings.lower() != "chunked"):  # RFC 9112 §6.1
            self._refuse(FailureKind.HTTP_PROTOCOL_ERROR, f"sent HTTP/{version} with Transfer-Encoding: {codings}")
        bodyless = self._method in _HEAD_ONLY or status in {204, 304}
        self._until_close = not bodyless and codings is None and "content-length" not in fields
        options = {option.strip().lower() for option in (fields.get("connection") or "").split(",")}
        self.persistent = not self._until_close and "close" not in options
        if version == "1.0":
            self.persistent = self.persistent and "keep-alive" in options
        if self._method == "CONNECT":  # RFC 9110 §9.3.6: what follows the head is the tunnel
            self.persistent = 200 <= status < 300
        self.complete = bodyless
