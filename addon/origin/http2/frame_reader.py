"""Splits the bytes of a peer into frames, and joins the frames of a header block. Pure: it only keeps bytes."""

from __future__ import annotations

from typing import NamedTuple

from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault, ErrorCode, over_budget
from cache.policy.reasons import Disconnected

MAX_READ = 65_536
"""Bytes that have been read as frames and are still kept, since to forget them copies the others."""

_PLAIN = frames.END_HEADERS | frames.PADDED | frames.WITH_PRIORITY
_IN_PARTS = frozenset((frames.HEADERS, frames.CONTINUATION))


class Frame(NamedTuple):
    """A frame. A HEADERS frame holds its whole header block, without padding and priority."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class FrameReader:
    """Reads the preface, if the peer sends one, then one frame after the other."""

    def __init__(self, max_block: int, max_continuations: int, *, preface: bytes = b"") -> None:
        """Join at most `max_block` bytes and `max_continuations` further frames of a header block.

        The peer's bytes begin with `preface` (RFC 9113 §3.4), which a client sends and a server does not.
        """
        self._max_block = max_block
        self._max_continuations = max_continuations
        self._preface = preface
        self._data = b""
        self._position = 0
        self._greeted = not preface
        """The preface has arrived."""
        self._headers: Frame | None = None
        """A HEADERS frame whose header block is not complete."""
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._data = self._data[self._position :] + data
        self._position = 0

    def drop(self) -> None:
        """Forget what has not been read as frames: no more will be."""
        self._data, self._position = b"", 0
        self._headers, self._parts = None, []

    @property
    def waiting(self) -> int:
        """Return how many bytes have not been read as frames."""
        return len(self._data) - self._position

    @property
    def inside_block(self) -> bool:
        """Return whether a header block has begun and is not complete."""
        return self._headers is not None

    @property
    def stream_of_block(self) -> int:
        """Return the stream of the header block that has begun and is not complete; 0 if there is none."""
        return self._headers.stream if self._headers is not None else 0

    def next(self) -> Frame | None:
        """Return the next frame, or None until more bytes have come. Raises ConnectionFault."""
        if not self._greeted and not self._read_preface():
            return None
        if self._position > MAX_READ:
            self.feed(b"")
        data, size = self._data, len(self._data)
        while size >= (start := self._position + frames.HEAD_LENGTH):
            first, flags, stream = frames.HEAD.unpack_from(data, self._position)
            end = start + (first >> 8)
            if end - start > frames.MAX_FRAME:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"A frame is longer than {frames.MAX_FRAME} bytes.")
            if end > size:
                return None
            self._position = end
            frame = Frame(first & 0xFF, flags, stream & 0x7FFF_FFFF, data[start:end])
            if self._headers is None and frame.kind not in _IN_PARTS:
                return frame
            whole = self._join(frame)
            if whole is not None:
                return whole
        return None

    def _read_preface(self) -> bool:
        if not self._preface.startswith(self._data[: len(self._preface)]):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "The connection does not begin with the preface of HTTP/2.")
        if len(self._data) < len(self._preface):
            return False
        self._position = len(self._preface)
        self._greeted = True
        return True

    def _join(self, frame: Frame) -> Frame | None:
        """Take a frame of a header block; return the HEADERS frame with the whole block once that is complete."""
        if self._headers is None:
            if frame.kind == frames.CONTINUATION:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A CONTINUATION frame continues nothing.")
            if frame.flags & _PLAIN == frames.END_HEADERS:
                return frame
            block = frames.without_padding(frame.flags, frame.payload, with_priority=True)
            if frame.flags & frames.END_HEADERS:
                return Frame(frame.kind, frame.flags, frame.stream, block)
            self._headers, self._parts, self._size = frame, [block], len(block)
            return None
        if frame.kind != frames.CONTINUATION or frame.stream != self._headers.stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "Another frame interrupts a header block.")
        self._parts.append(frame.payload)
        self._size += len(frame.payload)
        # CVE-2024-27316: both are counted, since a frame may be empty
        if self._size > self._max_block or len(self._parts) > self._max_continuations + 1:
            raise over_budget(Disconnected.HTTP2_CONTINUATIONS, "A header block has too many frames or bytes.")
        if not frame.flags & frames.END_HEADERS:
            return None
        headers, self._headers = self._headers, None
        return Frame(headers.kind, headers.flags, headers.stream, b"".join(self._parts))
