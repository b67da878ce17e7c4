"""The response to one request over HTTP/2: checks its heads, and the length of its content (RFC 9113 §8.1)."""

from __future__ import annotations

from collections.abc import Callable

from addon.origin.errors import FailureKind
from addon.origin.http2.header_block import Lines
from addon.origin.http2.response_fields import HeaderList, regular_fields
from addon.origin.options import OriginOptions
from addon.origin.response_buffer import SMALL_BODY, ResponseBuffer
from addon.origin.response_head import MalformedResponse
from cache.http.field_table import FRAMING
from cache.http.messages import Response

_WITHOUT_CONTENT = frozenset({204, 304})


class StreamResponse(ResponseBuffer):
    """Receives the response to one request from the frames of its stream."""

    def __init__(
        self,
        method: str,
        where: str,
        options: OriginOptions,
        on_interim: Callable[[Response], None] | None = None,
        *,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        """Expect the response to a request with this method; the other arguments are those of `ResponseBuffer`."""
        super().__init__(where, options, on_interim, on_progress)
        self._is_head = method == "HEAD"
        self._without_content = False
        self._remaining: int | None = None
        """Bytes of the content that have not arrived, if it has a length."""
        self._head_size = 0
        """Bytes of all heads so far."""

    def take_fields(self, fields: HeaderList, *, ended: bool) -> None:
        """Take a header list: an interim head, the final one, or trailers. Raises MalformedResponse."""
        size = fields.size
        self.received += size
        if self.head is None:
            self._head_size += size
            self._take_head(fields, ended=ended)
        elif not ended:
            raise MalformedResponse("sent a header section within its content")  # RFC 9113 §8.1
        else:
            self._take_trailers(fields.lines, size)
            self._end()
        self._wake_reader()

    def take_content(self, content: bytes, *, ended: bool) -> None:
        """Take content. Raises MalformedResponse."""
        if self.head is None:
            raise MalformedResponse("sent content before its response head")
        self.received += len(content)
        if self._without_content:
            self.complete = self.complete or bool(content)  # it is dropped, as the surplus is over HTTP/1
        else:
            if self._remaining is not None:
                self._remaining -= len(content)
                if self._remaining < 0:
                    raise MalformedResponse("sent more content than its Content-Length says")  # RFC 9113 §8.1.1
            self._append(content)
        if ended:
            self._end()
        self._wake_reader()

    def take_chunk(self) -> bytes | None:
        """Remove and return everything that is buffered of the body, or None. A piece costs more than its bytes."""
        if len(self._chunks) > 1:
            joined = b"".join(self._chunks)
            self._chunks.clear()
            self._chunks.append(joined)
        return super().take_chunk()

    def reset(self, code_name: str, *, unprocessed: bool = False, wants_http1: bool = False) -> None:
        """Handle the end of the stream by a RST_STREAM frame with this error code."""
        if self.head is None:
            kind = FailureKind.DESTINATION_UNAVAILABLE if unprocessed else FailureKind.HTTP_RESPONSE_INCOMPLETE
            self.fail(kind, f"ended the request with the HTTP/2 error {code_name}")
        else:
            predicate = f"ended its response with the HTTP/2 error {code_name} before it was whole"
            self.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, predicate)
        if self.failure is not None:
            self.failure.unprocessed, self.failure.wants_http1 = unprocessed, wants_http1

    def _end(self) -> None:
        if self._remaining and not self._without_content:
            self.fail(FailureKind.HTTP_RESPONSE_INCOMPLETE, "ended its response before it was whole")
        self.complete = self.failure is None

    # ---- heads

    def _take_head(self, fields: HeaderList, *, ended: bool) -> None:
        options = self._options
        if self._head_size > options.max_head:
            raise head_too_large(options)
        parsed, formed = fields.head(options.max_fields, options.max_line, lenient=options.reads_leniently)
        head, status = parsed.response, parsed.response.status
        if status < 200:
            if status == 101 or ended:  # RFC 9113 §8.1, §8.6
                raise MalformedResponse(f"ended its response with the interim status {status}")
            self._forward_interim(head)
            return
        self._remaining = parsed.length
        self._without_content = self._is_head or status in _WITHOUT_CONTENT
        self._wait_for_body = self._without_content or (self._remaining is not None and self._remaining <= SMALL_BODY)
        self.read_leniently = parsed.read_leniently
        self.head, self.formed_head = head, formed
        if ended:
            self._end()

    def _take_trailers(self, lines: Lines, size: int) -> None:
        """Keep the trailer fields. As over HTTP/1, a section that is too long or holds framing fields is dropped."""
        fields = regular_fields(lines, len(lines), size)
        options = self._options
        longest = max((len(name) + len(value) for name, value in fields), default=0)
        if size > options.max_head or longest > options.max_line or len(lines) > options.max_fields:
            return
        if fields.names().isdisjoint(FRAMING):  # RFC 9110 §6.5.1
            self.trailers = fields


def head_too_large(options: OriginOptions) -> MalformedResponse:
    """Return the mistake of a header section that is larger than allowed."""
    sentence = f"sent a header section above {options.max_head} bytes (limits.max_head)"
    return MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE)
