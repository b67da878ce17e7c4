"""HTTP/2 frames as bytes (RFC 9113 §4.1, §6). Pure: nothing here knows a connection."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from addon.origin.http2.faults import ConnectionFault, ErrorCode

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes of every client (RFC 9113 §3.4)."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
"""Types of frames."""

END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
"""Flags of frames."""

MAX_FRAME = 16_384
"""Bytes of a frame's payload. Every peer accepts so many, and this side accepts no more (RFC 9113 §4.2)."""

HEAD = Struct(">LBL")
"""A frame's head: its length in the upper 24 bits of the first number and its type in the lower 8, flags, stream."""

HEAD_LENGTH = HEAD.size

_NUMBER = Struct(">L")
_GOAWAY = Struct(">LL")
_SETTING = Struct(">HL")
_PRIORITY_LENGTH = 5


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings_frame(values: dict[int, int]) -> bytes:
    """Return a SETTINGS frame with these values."""
    return frame(SETTINGS, 0, 0, b"".join([_SETTING.pack(*each) for each in values.items()]))


def settings_in(payload: bytes) -> Iterator[tuple[int, int]]:
    """Iterate over the identifiers and values of a SETTINGS frame. Raises ConnectionFault."""
    if len(payload) % _SETTING.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "A SETTINGS frame holds a part of a setting.")
    return _SETTING.iter_unpack(payload)


def reset_frame(stream: int, code: ErrorCode) -> bytes:
    """Return a RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def goaway_frame(last_stream: int, code: ErrorCode, text: str = "") -> bytes:
    """Return a GOAWAY frame; `text` is for people who read the peer's log."""
    return frame(GOAWAY, 0, 0, _NUMBER.pack(last_stream) + _NUMBER.pack(code) + text.encode("latin-1"))


def window_frame(stream: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream, _NUMBER.pack(increment))


def number_in(payload: bytes, name: str) -> int:
    """Return the one number that a frame holds, without its reserved bit. Raises ConnectionFault."""
    if len(payload) != _NUMBER.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"A {name} frame does not hold one number.")
    number: int = _NUMBER.unpack(payload)[0]
    return number & 0x7FFF_FFFF


def header_frames(stream: int, block: bytes, *, end_stream: bool) -> bytes:
    """Return a header block in a HEADERS frame, and in CONTINUATION frames if it is long (RFC 9113 §4.3)."""
    ends = END_STREAM if end_stream else 0
    if len(block) <= MAX_FRAME:
        return frame(HEADERS, END_HEADERS | ends, stream, block)
    parts = [block[start : start + MAX_FRAME] for start in range(0, len(block), MAX_FRAME)]
    between = [frame(CONTINUATION, 0, stream, part) for part in parts[1:-1]]
    return b"".join(
        [frame(HEADERS, ends, stream, parts[0]), *between, frame(CONTINUATION, END_HEADERS, stream, parts[-1])]
    )


def goaway_in(payload: bytes) -> tuple[int, int, str]:
    """Return the last stream, the error code and the text of a GOAWAY frame. Raises ConnectionFault."""
    if len(payload) < _GOAWAY.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "A GOAWAY frame is too short.")
    last, code = _GOAWAY.unpack_from(payload)
    return last & 0x7FFF_FFFF, code, payload[_GOAWAY.size :].decode("latin-1")


def without_padding(flags: int, payload: bytes, *, with_priority: bool = False) -> bytes:
    """Return a payload without its padding, and without the priority that precedes a header block.

    Raises ConnectionFault.
    """
    start, end = 0, len(payload)
    if flags & PADDED:
        start, end = 1, end - (payload[0] if payload else 0)
    if with_priority and flags & WITH_PRIORITY:  # RFC 9113 §5.3.2: deprecated, and ignored
        start += _PRIORITY_LENGTH
    if start > end:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A frame has more padding than payload.")
    return payload[start:end]
