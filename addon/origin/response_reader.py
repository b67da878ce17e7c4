"""Reader of one response: parses it with llhttp, checks its framing (RFC 9112 §6.3), and buffers its body.

llhttp, as httptools builds it, already refuses bare CR, NUL, control characters and line folding in field lines, a
space before the colon, repeated or conflicting or malformed Content-Length, Content-Length beside Transfer-Encoding,
and broken chunks. This module refuses the other errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

import httptools

from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.head_cache import CachedHead, HeadCache
from addon.origin.options import OriginOptions
from addon.origin.other_protocols import other_protocol
from addon.origin.response_buffer import SMALL_BODY, ResponseBuffer
from cache.http.messages import Fields, Response

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BODYLESS_METHODS = frozenset({"HEAD", "CONNECT"})
_FIELD_LINE_OVERHEAD = len(": \r\n")
_HEAD_CACHE = HeadCache()

MAX_CACHED_HEAD = 4096
"""Bytes of the longest head that is put into the cache of parsed heads."""


class ResponseReader(ResponseBuffer):
    """Receives the response to one request."""

    def __init__(
        self,
        method: str,
        where: str,
        options: OriginOptions,
        on_interim: Callable[[Response], None] | None = None,
        *,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        """Expect the response to a request.

        Args:
            method: The request's method; it decides whether the response can have a body.
            where: The name of the origin in error messages.
            options: The size limits.
            on_interim: Called with the head of each 1xx response before the final one.
            on_progress: See `ResponseBuffer`.
        """
        super().__init__(where, on_progress)
        self._method = method
        self._on_interim = on_interim
        self._interim_count = 0
        self._head_bytes = b""
        self._remaining: int | None = None
        self._options = options
        self._lazy_parser: httptools.HttpResponseParser | None = None
        self._until_close = False
        self._reason = b""
        self._lines: list[tuple[str, str]] = []
        self._section_size = 0
        self._unparsed = 0

    @property
    def _parser(self) -> httptools.HttpResponseParser:
        """Return the llhttp parser. It is created at first use, because a cached head needs no parser."""
        if self._lazy_parser is None:
            self._lazy_parser = httptools.HttpResponseParser(self)
        return self._lazy_parser

    def feed(self, data: bytes) -> None:
        """Process data that the connection received. Errors go to `failure`; nothing is raised."""
        if not self.received:
            if other := other_protocol(data):
                self.fail(FailureKind.HTTP_PROTOCOL_ERROR, other)
                return
            if cached := self._cached_head(data):
                self._use_cached_head(cached)
                data = data[len(self._head_bytes) :]
        self.received += len(data)
        if self._remaining is not None:
            self._take_body_by_length(data)
            return
        self._unparsed += len(data)
        try:
            self._parser.feed_data(data)
            if not self.complete and self._unparsed > self._options.max_head:
                self._refuse_section_size()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, OriginFailure) as error:
            if self.complete:
                self.surplus = True
            else:
                self.fail(FailureKind.HTTP_PROTOCOL_ERROR, f"sent a malformed response: {error}")
        if self.complete and self._method in _BODYLESS_METHODS and not data.endswith(b"\r\n\r\n"):
            self.surplus = True  # llhttp parses it as a body, and reports nothing before it has enough of it
        self._wake_reader()

    def _cached_head(self, data: bytes) -> CachedHead | None:
        """Return the parsed head from the cache, or None if it is not cached or not complete in `data`.

        A complete head's bytes are kept for `_cache_head`.
        """
        end = data.find(b"\r\n\r\n") + 4
        # llhttp skips empty lines before a status line: then the first empty line does not end a head
        is_head = end > 3 and data.startswith(b"HTTP/1.") and self._method not in _BODYLESS_METHODS
        self._head_bytes = data[:end] if is_head else b""
        return _HEAD_CACHE.get(self._head_bytes) if self._head_bytes else None

    def _use_cached_head(self, cached: CachedHead) -> None:
        self.received = len(self._head_bytes)
        self.head, self.persistent, self._remaining = cached.response, cached.persistent, cached.length
        self._wait_for_body = cached.length <= SMALL_BODY

    def _take_body_by_length(self, data: bytes) -> None:
        """Take a piece of a body that is framed by its length alone (RFC 9112 §6.3), without the parser."""
        remaining = self._remaining or 0
        self.surplus = self.surplus or len(data) > remaining  # RFC 9112 §9.2
        self._remaining = remaining - len(data[:remaining])
        if data and remaining:
            self.buffered += len(data[:remaining])
            self._chunks.append(data[:remaining])
        self.complete = self._remaining == 0
        self._wake_reader()

    def _cache_head(self, head: Response) -> None:
        """Cache a head if no interim response came before it and its body is framed by a length."""
        length = head.fields.get("content-length")
        is_alone = self._head_bytes and not self._interim_count
        if is_alone and length and not self.complete and len(self._head_bytes) < MAX_CACHED_HEAD:
            _HEAD_CACHE.put(self._head_bytes, CachedHead(head, int(length), self.persistent))

    def end(self, *, clean: bool) -> None:
        """Handle the end of the connection; `clean` if the origin closed it in order (TLS: with close_notify)."""
        if self.finished:
            return
        if self.head is None:
            self.fail(FailureKind.CONNECTION_TERMINATED, "closed the connection before its response head was whole")
        elif self._until_close and clean:  # RFC 9112 §8, §9.8
            self.complete = True
        else:
            self.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "closed the connection before its response was whole")
        self._wake_reader()

    def _refuse(self, kind: FailureKind, predicate: str) -> NoReturn:
        self.fail(kind, predicate)
        raise OriginFailure(kind, predicate)  # only stops the parser: `failure` is set already

    def _refuse_section_size(self) -> NoReturn:
        section = "header" if self.head is None else "trailer"
        self._refuse(self._section_kind, f"sent a {section} section above {self._options.max_head} bytes")

    @property
    def _section_kind(self) -> FailureKind:
        header, trailer = FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE, FailureKind.HTTP_RESPONSE_TRAILER_SECTION_SIZE
        return header if self.head is None else trailer

    # Callbacks of llhttp

    def on_message_begin(self) -> None:
        """Handle the start of a message: an interim response, the final one, or surplus data behind it."""
        if self.complete:
            self.surplus = True  # RFC 9112 §9.2: a second response to one request

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
            self._refuse(FailureKind.HTTP_RESPONSE_HEADER_SIZE, f"sent a field line above {options.max_line} bytes")
        if len(self._lines) == options.max_fields:
            self._refuse(self._section_kind, f"sent more than {options.max_fields} field lines")
        self._lines.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Handle the end of a header section: forward an interim response, or check the final one's framing."""
        if self.head is not None:
            return
        status, version = self._parser.get_status_code(), self._parser.get_http_version()
        if version not in {"1.0", "1.1"} or status < 100 or _CONTROL.search(self._reason):
            self._refuse(FailureKind.HTTP_PROTOCOL_ERROR, "sent a malformed status line")
        if status == 101:  # RFC 9110 §15.2.2: our requests never ask for an upgrade
            self._refuse(FailureKind.HTTP_PROTOCOL_ERROR, "switched protocols unasked")
        fields, reason = Fields(tuple(self._lines)), self._reason.decode("latin-1")
        self._lines, self._reason = [], b""
        if status < 200:  # RFC 9110 §15.2: interim
            self._forward_interim(Response(status, reason, fields, f"HTTP/{version}"))
            return
        self._determine_framing(status, version, fields)
        self._section_size = self._unparsed = 0
        self.head = Response(status, reason, fields, f"HTTP/{version}")
        self._cache_head(self.head)
        length = fields.get("content-length")
        self._wait_for_body = length is not None and len(length) < 6 and int(length) <= SMALL_BODY

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body, transfer coding removed."""
        if self.complete:
            self.surplus = True
            return
        self._unparsed = 0
        self.buffered += len(data)
        self._chunks.append(data)

    def on_message_complete(self) -> None:
        """Handle the end of an interim or the final response."""
        if self.head is not None and not self.complete:
            self.complete = True
            if self._lines:
                self.trailers, self._lines = Fields(tuple(self._lines)), []

    def _forward_interim(self, interim: Response) -> None:
        self._interim_count += 1
        if self._interim_count > self._options.max_interim:
            self._refuse(
                FailureKind.HTTP_PROTOCOL_ERROR, f"sent more than {self._options.max_interim} interim responses"
            )
        if self._on_interim is not None:
            self._on_interim(interim)

    def _determine_framing(self, status: int, version: str, fields: Fields) -> None:
        """Determine where the body ends and whether the connection persists (RFC 9112 §6.3, §9.3)."""
        codings = fields.get("transfer-encoding")
        if codings is not None and (version == "1.0" or codings.lower() != "chunked"):  # RFC 9112 §6.1
            self._refuse(FailureKind.HTTP_PROTOCOL_ERROR, f"sent HTTP/{version} with Transfer-Encoding: {codings}")
        bodyless = self._method in _BODYLESS_METHODS or status in {204, 304}
        self._until_close = not bodyless and codings is None and "content-length" not in fields
        options = {option.strip().lower() for option in (fields.get("connection") or "").split(",")}
        self.persistent = not self._until_close and "close" not in options
        if version == "1.0":
            self.persistent = self.persistent and "keep-alive" in options
        if self._method == "CONNECT":  # RFC 9110 §9.3.6: the tunnel's data follows the head
            self.persistent = 200 <= status < 300
        self.complete = bodyless
