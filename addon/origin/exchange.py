"""One response on its way in: parsed by llhttp, judged by RFC 9112 §6.3, held until it is read.

llhttp, as httptools builds it, already refuses bare CR, NUL, control
characters and line folding in field lines, a space before the colon, repeated or conflicting or malformed
Content-Length, Content-Length beside Transfer-Encoding, and broken chunks. What it lets through is refused here.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import NoReturn

import httptools

from addon.origin.failure import FailureKind, OriginFailure
from addon.origin.known_heads import KnownHead, KnownHeads
from addon.origin.options import OriginOptions
from cache.messages import Fields, Response

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HEAD_ONLY = frozenset({"HEAD", "CONNECT"})
_FIELD_LINE_OVERHEAD = len(": \r\n")
_NO_FIELDS = Fields()
_KNOWN = KnownHeads()

SMALL = 65_536
"""Octets of content that are worth waiting for a moment."""

MAX_KNOWN = 4096
"""Octets of a head that is worth remembering."""


class Exchange:
    """The response to one request. The connection feeds it; whoever asked reads it.

    Attributes:
        head: The final response's head, once it is whole.
        trailers: What came behind the content, kept apart from the head (RFC 9110 §6.5.1).
        complete: The message was received to its end.
        failure: Why it never will be.
        surplus: Octets followed the complete message; the connection must not be used again.
        persistent: The connection outlives this message, as far as the message says.
        received: Octets so far, interim responses included.
        buffered: Octets of the body that wait for the reader.
    """

    def __init__(
        self, method: str, where: str, options: OriginOptions, interim: Callable[[Response], None] | None = None
    ) -> None:
        """Expect the response to a request with this `method`; `interim` is told of every 1xx before it."""
        self.head: Response | None = None
        self.trailers = _NO_FIELDS
        self.complete = False
        self.failure: OriginFailure | None = None
        self.surplus = False
        self.persistent = False
        self.received = 0
        self.buffered = 0
        self.heard: Callable[[], None] | None = None
        """Called with everything that comes, for who does not wait in a task."""
        self._method = method
        self._where = where
        self._interim = interim
        self._interims = 0
        self._first = b""
        self._left: int | None = None
        self._options = options
        self._parser = httptools.HttpResponseParser(self)
        self._until_close = False
        self._small = False
        self._reason = b""
        self._lines: list[tuple[str, str]] = []
        self._section_size = 0
        self._unparsed = 0
        self._chunks: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None

    @property
    def over(self) -> bool:
        """Tell whether nothing more will come."""
        return self.complete or self.failure is not None

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

    def _known(self, octets: bytes) -> KnownHead | None:
        """Return what a head came to that was parsed before, if it is all there."""
        end = octets.find(b"\r\n\r\n") + 4
        self._first = octets[:end] if end > 3 and self._method not in _HEAD_ONLY else b""
        return _KNOWN.get(self._first) if self._first else None

    def _begin_known(self, known: KnownHead) -> None:
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
            _KNOWN.put(self._first, KnownHead(head, int(length), self.persistent))

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

    def fail(self, kind: FailureKind, what: str) -> None:
        """End the exchange with a failure, unless it is over. `what` completes the sentence `<origin> ...`."""
        if self.over:
            return
        unreachable = kind in {FailureKind.CONNECTION_TERMINATED, FailureKind.CONNECTION_READ_TIMEOUT}
        self.failure = OriginFailure(kind, f"{self._where} {what}", disconnected=unreachable and self.head is None)
        self._wake()

    def take(self) -> bytes | None:
        """Return the next octets of the body, or None if none wait."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.buffered -= len(chunk)
        return chunk

    def whole(self) -> bytes | None:
        """Return all of the body if the message is complete and none of it was taken, or None; takes it."""
        if not self.complete:
            return None
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self.buffered = 0
        return body

    @property
    def refused(self) -> bool:
        """Tell whether the origin's answer says that it does not want what of the request has not been sent."""
        return self.head is not None and self.head.status >= 300

    @property
    def is_nearly_whole(self) -> bool:
        """Tell whether no more is missing than comes in a moment, unless that is over."""
        return not self.complete and self._small and self.failure is None

    def hurry(self) -> None:
        """Let nobody wait any longer for the rest."""
        self._small = False
        self._wake()

    async def progress(self) -> None:
        """Wait until something arrives or the exchange is over."""
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self.heard is not None:
            self.heard()
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

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
