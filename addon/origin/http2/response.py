"""The response to one request over HTTP/2: checks its heads, and the length of its content (RFC 9113 §8.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

from addon.origin.errors import FailureKind
from addon.origin.http2.header_block import CONNECTION_FIELDS, Lines
from addon.origin.options import OriginOptions
from addon.origin.response_buffer import SMALL_BODY, ResponseBuffer
from addon.origin.response_head import Leniency, MalformedResponse, content_length
from cache.http.field_table import FRAMING
from cache.http.messages import Fields, Response

VERSION = "HTTP/2.0"

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
"""RFC 9113 §8.2.1: a token without capitals."""

_FORBIDDEN_IN_VALUE = re.compile(rb"[\x00\r\n]")
_STATUS = re.compile(rb"[1-9][0-9]{2}")
_WITHOUT_CONTENT = frozenset({204, 304})
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_LINE_OVERHEAD = len(": \r\n")
"""Bytes of a field line besides its name and its value, as HTTP/1 would have it."""


class StreamResponse(ResponseBuffer):
    """Receives the response to one request from the frames of its stream."""

    def __init__(
        self, method: str, where: str, options: OriginOptions, on_interim: Callable[[Response], None] | None = None
    ) -> None:
        """Expect the response to a request with this method; the other arguments are those of `ResponseBuffer`."""
        super().__init__(where, options, on_interim)
        self._is_head = method == "HEAD"
        self._without_content = False
        self._remaining: int | None = None
        """Bytes of the content that have not arrived, if it has a length."""
        self._head_size = 0
        """Bytes of all heads so far."""

    def take_fields(self, lines: Lines, *, ended: bool) -> None:
        """Take a header list: an interim head, the final one, or trailers. Raises MalformedResponse."""
        size = sum(len(name) + len(value) + _LINE_OVERHEAD for name, value in lines)
        self.received += size
        if self.head is None:
            self._head_size += size
            self._take_head(lines, ended=ended)
        elif not ended:
            raise MalformedResponse("sent a header section within its content")  # RFC 9113 §8.1
        else:
            self._take_trailers(lines, size)
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

    def _take_head(self, lines: Lines, *, ended: bool) -> None:
        options = self._options
        if self._head_size > options.max_head:
            raise head_too_large(options)
        status = _status(lines)
        leniency = Leniency(options.reads_leniently)
        fields = _fields(tuple(lines[1:]), options.max_fields, options.max_line)
        if status < 200:
            if status == 101 or ended:  # RFC 9113 §8.1, §8.6
                raise MalformedResponse(f"ended its response with the interim status {status}")
            self._forward_interim(Response(status, _PHRASES.get(status, ""), fields, VERSION))
            return
        self._remaining = content_length(fields, leniency)
        if leniency.used:
            fields = fields.replacing("content-length", str(self._remaining))
        self._without_content = self._is_head or status in _WITHOUT_CONTENT
        self._wait_for_body = self._without_content or (self._remaining is not None and self._remaining <= SMALL_BODY)
        self.read_leniently = leniency.used
        self.head = Response(status, _PHRASES.get(status, ""), fields, VERSION)
        if ended:
            self._end()

    def _take_trailers(self, lines: Lines, size: int) -> None:
        """Keep the trailer fields. As over HTTP/1, a section that is too long or holds framing fields is dropped."""
        fields = _fields(tuple(lines), len(lines), size)
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


def _status(lines: Lines) -> int:
    """Return the status: the first field, and the only pseudo-field (RFC 9113 §8.3.2). Raises MalformedResponse."""
    if not lines or lines[0][0] != b":status" or not _STATUS.fullmatch(lines[0][1]):
        raise MalformedResponse("sent a response head that does not begin with a status")
    return int(lines[0][1])


@lru_cache(maxsize=512)  # an origin sends the same fields with many responses of a second
def _fields(lines: tuple[tuple[bytes, bytes], ...], max_fields: int, max_line: int) -> Fields:
    """Return regular fields (RFC 9113 §8.2). Raises MalformedResponse."""
    if len(lines) > max_fields:
        sentence = f"sent more than {max_fields} field lines"
        raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE)
    found: list[tuple[str, str]] = []
    for raw_name, raw_value in lines:
        if not _NAME.fullmatch(raw_name) or _FORBIDDEN_IN_VALUE.search(raw_value):
            raise MalformedResponse(f"sent a malformed field line: it begins with {raw_name[:40].decode('latin-1')!r}")
        name = raw_name.decode("ascii")
        if name in CONNECTION_FIELDS:  # RFC 9113 §8.2.2
            raise MalformedResponse(f"sent the field {name}, which HTTP/2 does not have")
        if len(raw_name) + len(raw_value) > max_line:
            sentence = f"sent a field line above {max_line} bytes (limits.max_line)"
            raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SIZE)
        found.append((name, raw_value.decode("latin-1").strip(" \t")))
    return Fields(tuple(found))
