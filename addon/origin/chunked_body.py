"""Decodes the chunks of a response body (RFC 9112 §7.1).

White space around a chunk's size and extension is accepted, and extensions are ignored. The body is as long as its
chunks say: a trailer section that is malformed, too long, or holds framing fields is dropped (RFC 9112 §7.1.2, §8).
"""

from __future__ import annotations

import re
from enum import Enum, auto

from addon.origin.options import OriginOptions
from addon.origin.response_head import MalformedResponse
from cache.http.field_table import FRAMING
from cache.http.fields import TOKEN
from cache.http.messages import Fields

_PLAIN_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_SIZE_LINE = re.compile(rb"[ \t]*(?=[0-9A-Fa-f])0*([0-9A-Fa-f]{0,15})[ \t]*(?:;[^\x00\r]*)?")
_TRAILER_LINE = re.compile(rb"(%b)[ \t]*:([^\x00\r]*)" % TOKEN.pattern.encode())
_NO_FIELDS = Fields()


class _Expects(Enum):
    """The element of the chunked coding that comes next."""

    SIZE = auto()
    DATA = auto()
    END_OF_DATA = auto()
    TRAILER = auto()
    NOTHING = auto()


class ChunkedBody:
    """Decodes one body.

    Attributes:
        trailers: The fields of the trailer section, once the body is complete.
        read_leniently: A line ended without CR.
        trailers_dropped: The trailer section was dropped, and its end is unknown: nothing may follow on the connection.
    """

    def __init__(self, options: OriginOptions, *, bare_lf: bool) -> None:
        """Expect chunks; with `bare_lf` their lines may end without CR."""
        self.trailers = _NO_FIELDS
        self.read_leniently = False
        self.trailers_dropped = False
        self._options = options
        self._bare_lf = bare_lf
        self._expects = _Expects.SIZE
        self._left = 0
        self._partial_line = b""
        self._trailer_lines: list[tuple[str, str]] = []
        self._trailer_size = 0

    @property
    def complete(self) -> bool:
        """Return whether the last chunk and the trailer section have arrived."""
        return self._expects is _Expects.NOTHING

    def decode(self, data: bytes, pieces: list[bytes]) -> bool:
        """Append the content in `data` to `pieces`; return whether bytes follow the body. Raises MalformedResponse."""
        if self._partial_line:
            data, self._partial_line = self._partial_line + data, b""
        position, size = 0, len(data)
        while position < size and self._expects is not _Expects.NOTHING:
            if self._expects is _Expects.DATA:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                self._expects = _Expects.DATA if self._left else _Expects.END_OF_DATA
                continue
            if self._expects is _Expects.SIZE and (end := self._take_whole_chunks(data, position, pieces)) > position:
                position = end
                continue
            end = data.find(b"\n", position) + 1
            if not end:
                self._keep_partial_line(data[position:])
                return False
            self._take_line(data[position:end])
            position = end
        return position < size

    def _take_whole_chunks(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Take the chunks that are whole, from `position` on; return where they end. Most chunks are whole."""
        while size := _PLAIN_SIZE_LINE.match(data, position):
            start = size.end()
            stop = start + int(size[1], 16)
            if data[stop : stop + 2] != b"\r\n":
                break
            position = stop + 2
            if start == stop:
                self._expects = _Expects.NOTHING
                break
            pieces.append(data[start:stop])
        return position

    def drop_trailers(self) -> None:
        """End the body without its trailer section."""
        self.trailers_dropped = True
        self._expects = _Expects.NOTHING

    def _keep_partial_line(self, line: bytes) -> None:
        if self._expects is _Expects.TRAILER:
            if self._trailer_size + len(line) > self._options.max_head:
                self.drop_trailers()
        elif self._expects is _Expects.END_OF_DATA and line != b"\r":
            raise MalformedResponse("sent a chunk that is longer than its size")
        elif self._expects is _Expects.SIZE:
            self._check_size_line(line)
        self._partial_line = line

    def _check_size_line(self, line: bytes) -> None:
        """Raise MalformedResponse if a line with the size of a chunk, or the beginning of one, is too long."""
        if len(line) > self._options.max_line:
            raise MalformedResponse(f"sent the size of a chunk in a line above {self._options.max_line} bytes")

    def _take_line(self, line: bytes) -> None:
        if line.endswith(b"\r\n"):
            content = line[:-2]
        elif self._bare_lf:
            content, self.read_leniently = line[:-1], True
        elif self._expects is _Expects.TRAILER:
            self.drop_trailers()
            return
        else:
            mistake = "ended a line between its chunks with a bare LF"
            raise MalformedResponse(f"{mistake}; the setting origin.lenient can allow that for this host")
        if self._expects is _Expects.SIZE:
            self._check_size_line(line)
            self._take_size(content)
        elif self._expects is _Expects.TRAILER:
            self._take_trailer(content, len(line))
        elif content:
            raise MalformedResponse("sent a chunk that is longer than its size")
        else:
            self._expects = _Expects.SIZE

    def _take_size(self, line: bytes) -> None:
        size = _SIZE_LINE.fullmatch(line)
        if size is None:
            raise MalformedResponse(f"sent a malformed size of a chunk: {line[:40].decode('latin-1')!r}")
        self._left = int(size[1] or b"0", 16)
        self._expects = _Expects.DATA if self._left else _Expects.TRAILER

    def _take_trailer(self, line: bytes, size: int) -> None:
        self._trailer_size += size
        if not line:
            self.trailers = Fields(tuple(self._trailer_lines))
            self._expects = _Expects.NOTHING
            return
        field, options = _TRAILER_LINE.fullmatch(line), self._options
        too_long = self._trailer_size > options.max_head or size > options.max_line
        if field is None or too_long or len(self._trailer_lines) == options.max_fields:
            self.drop_trailers()
            return
        name, value = field[1].decode("ascii"), field[2].strip(b" \t").decode("latin-1")
        if name.lower() in FRAMING:  # RFC 9110 §6.5.1: it may be an attempt to end the body elsewhere
            self.drop_trailers()
            return
        self._trailer_lines.append((name, value))
