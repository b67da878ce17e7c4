"""The heads of responses over HTTP/2 by their field lines (RFC 9113 §8.2, §8.3); a repeated one is parsed once.

A head is compared with earlier ones in the form that it would have as text, as over HTTP/1. This is done only after its
lines were checked: else two different lists of lines could have one text.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from itertools import chain

from addon.origin.errors import FailureKind
from addon.origin.head_cache import HeadCache
from addon.origin.head_form import FormedHead
from addon.origin.http2.header_block import CONNECTION_FIELDS, Lines
from addon.origin.response_head import Leniency, MalformedResponse, ResponseHead, content_length
from cache.http.messages import Fields, Response

VERSION = "HTTP/2.0"

MAX_CACHED_HEAD = 4096
"""Bytes of the longest head that is kept for later ones."""

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
"""RFC 9113 §8.2.1: a token without capitals."""

_CONNECTION_FIELDS = frozenset(name.encode("ascii") for name in CONNECTION_FIELDS)
_FORBIDDEN_IN_VALUE = re.compile(rb"[\x00\r\n]")
_STATUS = re.compile(rb"[1-9][0-9]{2}")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_LINE_OVERHEAD = len(": \r\n")
"""Bytes of a field line besides its name and its value, as HTTP/1 would have it."""

_HEAD_CACHE = HeadCache()


def size_of(lines: Lines) -> int:
    """Return how many bytes field lines would have over HTTP/1."""
    return sum(map(len, chain.from_iterable(lines))) + _LINE_OVERHEAD * len(lines)


class HeaderList:
    """The field lines of a header block. One is kept for equal blocks of a connection, with what they were found to be.

    Attributes:
        lines: The names and values.
        size: How many bytes the lines would have over HTTP/1.
    """

    __slots__ = ("_head", "lines", "size")

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.size = size_of(lines)
        self._head: tuple[ResponseHead, FormedHead | None] | None = None

    def head(self, max_fields: int, max_line: int, *, lenient: bool) -> tuple[ResponseHead, FormedHead | None]:
        """Return the response head that the lines are; see `response_head`. Its limits are those of the connection."""
        if self._head is None:
            self._head = response_head(self.lines, max_fields, max_line, lenient=lenient)
        return self._head


def response_head(
    lines: Lines, max_fields: int, max_line: int, *, lenient: bool
) -> tuple[ResponseHead, FormedHead | None]:
    """Return a head, and the same with its form if it has a usual size and was not read leniently.

    Args:
        lines: The header list, which begins with the status.
        max_fields: How many fields it may have.
        max_line: Bytes that a field line may have.
        lenient: The origin is read leniently.

    Raises:
        MalformedResponse: it is malformed, or exceeds a limit.
    """
    if size_of(lines) > MAX_CACHED_HEAD:
        return _parsed(lines, max_fields, max_line, lenient=lenient), None
    _check_status(lines)
    _check(lines[1:], max_fields, max_line)
    text = lines[0][1] + b"\r\n" + b"".join([b"%b: %b\r\n" % line for line in lines[1:]]) + b"\r\n"
    known = _HEAD_CACHE.get(text)
    if known is None:
        head = _parsed(lines, max_fields, max_line, lenient=lenient)
        if head.read_leniently:
            return head, None
        known = _HEAD_CACHE.put(text, head)
    return known.parsed, known


def _parsed(lines: Lines, max_fields: int, max_line: int, *, lenient: bool) -> ResponseHead:
    status, leniency = _check_status(lines), Leniency(lenient)
    fields = regular_fields(lines[1:], max_fields, max_line)
    length = content_length(fields, leniency) if status >= 200 else None
    if leniency.used:
        fields = fields.replacing("content-length", str(length))
    response = Response(status, _PHRASES.get(status, ""), fields, VERSION)
    return ResponseHead(response, persistent=True, length=length, read_leniently=leniency.used)


def _check_status(lines: Lines) -> int:
    """Return the status: the first field, and the only pseudo-field (RFC 9113 §8.3.2). Raises MalformedResponse."""
    if not lines or lines[0][0] != b":status" or not _STATUS.fullmatch(lines[0][1]):
        raise MalformedResponse("sent a response head that does not begin with a status")
    return int(lines[0][1])


def regular_fields(lines: Lines, max_fields: int, max_line: int) -> Fields:
    """Return regular fields (RFC 9113 §8.2). Raises MalformedResponse."""
    _check(lines, max_fields, max_line)
    return Fields(tuple([(name.decode("ascii"), value.decode("latin-1").strip(" \t")) for name, value in lines]))


def _check(lines: Lines, max_fields: int, max_line: int) -> None:
    """Check regular fields. Raises MalformedResponse."""
    if len(lines) > max_fields:
        sentence = f"sent more than {max_fields} field lines"
        raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE)
    for name, value in lines:
        if _FORBIDDEN_IN_VALUE.search(value) or not _NAME.fullmatch(name):
            raise MalformedResponse(f"sent a malformed field line: it begins with {name[:40].decode('latin-1')!r}")
        if name in _CONNECTION_FIELDS:  # RFC 9113 §8.2.2
            raise MalformedResponse(f"sent the field {name.decode('ascii')}, which HTTP/2 does not have")
        if len(name) + len(value) > max_line:
            sentence = f"sent a field line above {max_line} bytes (limits.max_line)"
            raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SIZE)
