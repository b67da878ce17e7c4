"""Reader of one response: finds its heads and the end of its body (RFC 9112 §6.3), and buffers the body."""

from __future__ import annotations

from collections.abc import Callable

from addon.origin.chunked_body import ChunkedBody
from addon.origin.errors import FailureKind
from addon.origin.head_cache import HeadCache
from addon.origin.head_form import FormedHead
from addon.origin.options import OriginOptions
from addon.origin.other_protocols import other_protocol
from addon.origin.response_buffer import SMALL_BODY, ResponseBuffer
from addon.origin.response_head import END_OF_HEAD, MalformedResponse, ResponseHead, parse_head
from cache.http.messages import Response

_PROTOCOL = b"HTTP/1."
_BODYLESS_METHODS = frozenset({"HEAD", "CONNECT"})
_BODYLESS_STATUSES = frozenset({204, 304})
_HEAD_CACHE = HeadCache()

MAX_CACHED_HEAD = 4096
"""Bytes of the longest head that is put into the cache of parsed heads."""


class ResponseReader(ResponseBuffer):
    """Receives the response to one request over HTTP/1.

    Attributes:
        switched: The origin has switched to another protocol; what it has sent in that is in place of a body.
    """

    switched = False
    _head_size = 0
    """Bytes of all heads so far."""
    _remaining: int | None = None
    """Bytes of the body that have not arrived, if it has a length."""
    _chunks_left: ChunkedBody | None = None
    """The decoder of a body in chunks."""

    def __init__(
        self,
        method: str,
        where: str,
        options: OriginOptions,
        on_interim: Callable[[Response], None] | None = None,
        *,
        on_progress: Callable[[], None] | None = None,
        fault_in_switch: Callable[[Response], str | None] | None = None,
    ) -> None:
        """Expect the response to a request.

        Args:
            method: The request's method; it decides whether the response can have a body.
            where: The name of the origin in error messages.
            options: The size limits, and whether the origin is read leniently.
            on_interim: Called with the head of each 1xx response before the final one.
            on_progress: See `ResponseBuffer`.
            fault_in_switch: Returns what is wrong with a 101, as the predicate of a sentence. None if the request has
                not offered to switch to another protocol.
        """
        super().__init__(where, options, on_interim, on_progress)
        self._fault_in_switch = fault_in_switch
        self._method = method
        self._unparsed = bytearray()
        """The beginning of a head whose end has not arrived."""

    def feed(self, data: bytes) -> None:
        """Process data that the connection received. Errors go to `failure`; nothing is raised."""
        if not self.received and (other := other_protocol(data)):
            self.fail(FailureKind.HTTP_PROTOCOL_ERROR, other)
            return
        self.received += len(data)
        try:
            if self.head is None:
                data = self._take_heads(data)
            if data:
                self._take_body(data)
        except MalformedResponse as error:
            self.fail(error.kind, str(error))
        self._wake_reader()

    def end(self, *, clean: bool) -> None:
        """Handle the end of the connection; `clean` if the origin closed it in order (TLS: with close_notify)."""
        if self.finished:
            return
        until_close = self._remaining is None and self._chunks_left is None
        if self.head is None:
            self.fail(FailureKind.CONNECTION_TERMINATED, "closed the connection before its response head was whole")
        elif until_close and clean:  # RFC 9112 §8, §9.8
            self.complete = True
        else:
            self.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "closed the connection before its response was whole")
        self._wake_reader()

    # Heads

    def _take_heads(self, data: bytes) -> bytes:
        """Process the heads in `data`, up to the final one; return what follows it. Raises MalformedResponse."""
        if self._unparsed:
            searched = max(0, len(self._unparsed) - len("\n\r"))
            self._unparsed += data
            if END_OF_HEAD.search(self._unparsed, searched) is None:
                self._check_unfinished(self._unparsed)
                return b""
            data = bytes(self._unparsed)
            self._unparsed.clear()
        while self.head is None:
            if data[:1] in (b"\r", b"\n"):  # as before requests (RFC 9112 §2.2), empty lines are skipped
                self._head_size += len(data)
                data = data.lstrip(b"\r\n")
                self._head_size -= len(data)
            known, end = self._cached_head(data)
            head = known.parsed if known is not None else None
            if head is None:
                match = END_OF_HEAD.search(data)
                if match is None or data[:7].upper() != _PROTOCOL:
                    self._check_unfinished(data)
                    self._unparsed += data
                    return b""
                end = match.end()
                self._check_size(end)
                head, known = self._parsed(data[:end])
            self._head_size += end
            data = data[end:]
            self._use(head)
            self.formed_head = known
        return data

    def _cached_head(self, data: bytes) -> tuple[FormedHead | None, int]:
        """Return the parsed head and its size from the cache; None if it is not cached or not complete in `data`."""
        end = data.find(b"\r\n\r\n") + 4
        return (_HEAD_CACHE.get(data[:end]), end) if 3 < end <= MAX_CACHED_HEAD else (None, end)

    def _parsed(self, data: bytes) -> tuple[ResponseHead, FormedHead | None]:
        head = parse_head(data, self._options)
        if len(data) > MAX_CACHED_HEAD or head.read_leniently:
            return head, None
        known = _HEAD_CACHE.put(data, head)
        return known.parsed, known

    def _check_unfinished(self, data: bytes | bytearray) -> None:
        """Raise MalformedResponse if the beginning of a head cannot become one that is accepted."""
        if not _PROTOCOL.startswith(data[:7].upper()):
            raise MalformedResponse("does not speak HTTP")
        self._check_size(len(data))

    def _check_size(self, size: int) -> None:
        if self._head_size + size > self._options.max_head:
            sentence = f"sent a header section above {self._options.max_head} bytes (limits.max_head)"
            raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE)

    def _use(self, head: ResponseHead) -> None:
        """Forward an interim response (RFC 9110 §15.2), or begin the body of the final one."""
        response, status = head.response, head.response.status
        if status == 101:
            self._switch(response)
            return
        self.read_leniently = self.read_leniently or head.read_leniently
        if status < 200:
            self._forward_interim(response)
            return
        self.complete = self._method in _BODYLESS_METHODS or status in _BODYLESS_STATUSES or head.length == 0
        until_close = not self.complete and not head.chunked and head.length is None
        self.persistent = head.persistent and not until_close and not self.read_leniently
        if self._method == "CONNECT":  # RFC 9110 §9.3.6: the tunnel's data follows the head
            self.persistent = 200 <= status < 300
        self._remaining = head.length
        if head.chunked:
            self._chunks_left = ChunkedBody(self._options, bare_lf=self._options.reads_leniently)
        self._wait_for_body = head.length is not None and head.length <= SMALL_BODY
        self.head = response

    def _switch(self, response: Response) -> None:
        """End with a 101, which the request must have asked for (RFC 9110 §15.2.2). Raises MalformedResponse."""
        ask = self._fault_in_switch
        if fault := "switched protocols unasked" if ask is None else ask(response):
            raise MalformedResponse(fault)
        self.switched = self.complete = True
        self.head = response

    # The body

    def _take_body(self, data: bytes) -> None:
        """Take a piece of the body; what follows the body is surplus (RFC 9112 §9.2). Raises MalformedResponse."""
        if self.switched:
            self._append(data)
            return
        if self.complete:
            self.surplus = True
            return
        if self._chunks_left is not None:
            self._take_chunks(self._chunks_left, data)
            return
        if self._remaining is not None:
            self.surplus = len(data) > self._remaining
            data = data[: self._remaining]
            self._remaining -= len(data)
            self.complete = self._remaining == 0
        self._append(data)

    def _take_chunks(self, chunks: ChunkedBody, data: bytes) -> None:
        pieces: list[bytes] = []
        try:
            surplus = chunks.decode(data, pieces)
        finally:  # what came before a malformed chunk is passed on
            if pieces:
                self._append(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if chunks.read_leniently:
            self.read_leniently, self.persistent = True, False
        if chunks.complete:
            self.complete, self.trailers = True, chunks.trailers
            self.surplus = surplus or chunks.trailers_dropped
