"""The form of a response head: its bytes, with the values of a few fields left open.

Many responses of an origin differ in `Date`, `ETag`, `Last-Modified`, `Expires` and `Content-Length` only. The heads of
such responses have one form. It is parsed once, and what follows from one of them follows from all, as far as it does
not depend on these values.

A value is open only if it is well-formed. With any other value, the head has another form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from addon.origin.response_head import ResponseHead
from cache.http.messages import Fields, Response
from cache.http.record import record

# RFC 9110 §5.6.7, §8.8.3, §8.6
_DATE = rb"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
_TAG = rb'(?:W/)?"[!#-~]{0,128}"'
_LENGTH = rb"0|[1-9][0-9]{0,8}"
_OPEN = re.compile(
    rb"\r\n(?i:(Date|Expires|Last-Modified)|(ETag)|(Content-Length)): ((?(1)%b|(?(2)%b|(?:%b))))(?=\r\n)"
    % (_DATE, _TAG, _LENGTH)
)
_PIECES = 5
"""Pieces into which each open field divides a head: the bytes before it, three groups for its name, its value."""


def divided(head: bytes) -> tuple[tuple[bytes | None, ...], list[bytes]]:
    """Return what a head has in common with all others of its form, and the values of its open fields."""
    pieces = _OPEN.split(head)
    values = pieces[_PIECES - 1 :: _PIECES]
    del pieces[_PIECES - 1 :: _PIECES]
    return tuple(pieces), values


class HeadForm:
    """The part that all heads of one form have in common.

    Attributes:
        places: The places of the open fields among the field lines, in order.
        uses: Heads of this form that were found, besides the first.
        has_length: Heads of this form have a Content-Length.
        last: The last head of this form, with its bytes.
    """

    __slots__ = ("_first", "_head", "_length", "_match", "has_length", "last", "places", "uses")

    def __init__(self, head: bytes, parsed: ResponseHead) -> None:
        """Take the form from one head and its parsed form."""
        self._head = head
        self._match: Callable[[bytes], re.Match[bytes] | None] | None = None
        self.uses = 0
        self.has_length = "content-length" in parsed.response.fields
        self.last: tuple[bytes, FormedHead] | None = None
        # the status line has no line end before it, so the first field line has one
        self.places = tuple([head.count(b"\r\n", 0, each.start()) for each in _OPEN.finditer(head)])
        self._first = parsed
        names = [parsed.response.fields.lines[place][0].lower() for place in self.places]
        self._length = names.index("content-length") if "content-length" in names else None

    def values_in(self, head: bytes) -> tuple[bytes, ...] | None:
        """Return the values of the open fields in a head, or None if it has another form."""
        if self._match is None:
            self._match = _pattern(self._head).fullmatch
        found = self._match(head)
        return found.groups() if found is not None else None

    def with_values(self, values: Sequence[bytes]) -> FormedHead:
        """Return the head of this form with these values of the open fields."""
        first, texts = self._first, tuple([value.decode("ascii") for value in values])
        response, length = first.response, first.length
        if self._length is not None and length is not None:
            length = int(texts[self._length])
        lines = list(response.fields.lines)
        for place, text in zip(self.places, texts, strict=True):
            lines[place] = (lines[place][0], text)
        filled = Response(response.status, response.reason, Fields(tuple(lines)), response.version)
        return FormedHead(ResponseHead(filled, first.persistent, length, first.chunked), self, texts)


def _pattern(head: bytes) -> re.Pattern[bytes]:
    """Return the pattern of all heads that have the form of this one, with a group for each value."""
    parts, end = [], 0
    for field in _OPEN.finditer(head):
        value = _DATE if field[1] else _TAG if field[2] else _LENGTH
        parts += [re.escape(head[end : field.start(4)]), b"(%b)" % value]
        end = field.end(4)
    return re.compile(b"".join([*parts, re.escape(head[end:])]))


@record
class FormedHead:
    """A parsed head with its form."""

    parsed: ResponseHead
    form: HeadForm
    open_values: tuple[str, ...]
    """The values of the open fields, in order."""
