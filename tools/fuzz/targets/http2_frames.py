"""Frames of HTTP/2 and the header blocks in them: any bytes are frames or a fault, and a header list a head or none."""

from __future__ import annotations

from addon.frontend.http1.request_head import MalformedRequest
from addon.frontend.http1.request_target import ForwardProxyTargets
from addon.frontend.http2.header_block import HeaderDecoder, Lines
from addon.frontend.http2.request_fields import Http2Head, check_trailers, request_head
from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault, StreamFault
from addon.origin.http2.frame_reader import Frame, FrameReader
from tools.fuzz.pieces import splits

TOKENS = [
    *(b":method", b":path", b":scheme", b":authority", b"GET", b"CONNECT", b"http", b"host", b"content-length"),
    *(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"\x00\x00\x04\x01\x05\x00\x00\x00\x01", b"\x82", b"\x86", b"\x84"),
]

MAX_BLOCK, MAX_CONTINUATIONS, MAX_LIST, MAX_LINE = 1024, 4, 2048, 512


def check(data: bytes) -> None:
    """Read bytes as frames of a client, and the header blocks among them as requests."""
    found, fault = _frames([data])
    for pieces in splits(data):
        assert _frames(pieces) == (found, fault)
    decoder = HeaderDecoder[Http2Head](MAX_LIST)
    for frame in found:
        assert 0 <= frame.kind < 256
        assert 0 <= frame.stream < 2**31
        assert (
            len(frame.payload) <= (MAX_BLOCK if frame.kind == frames.HEADERS else frames.MAX_FRAME) + frames.MAX_FRAME
        )
        if frame.kind == frames.HEADERS and not _take_block(decoder, frame.payload):
            return


def _frames(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    """Return the frames in some bytes, and whether a fault follows them."""
    reader, found = FrameReader(MAX_BLOCK, MAX_CONTINUATIONS), []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (frame := reader.next()) is not None:
                found.append(frame)
    except ConnectionFault:
        return found, True
    return found, False


def _take_block(decoder: HeaderDecoder[Http2Head], block: bytes) -> bool:
    """Decode a header block; return whether the connection goes on."""
    known = decoder.known.get(block)
    try:
        lines = decoder.decode(block)
    except (ConnectionFault, MalformedRequest):
        assert known is None
        return False
    head = _head(lines)
    assert known is None or known == head  # what was remembered is what the block still means
    if head is not None:
        decoder.remember(block, head)
    return True


def _head(lines: Lines) -> Http2Head | None:
    try:
        check_trailers(lines, MAX_LINE)
    except (MalformedRequest, StreamFault):
        pass
    else:
        assert not any(name.startswith(b":") for name, _ in lines)
    try:
        found = request_head(lines, b"\n", MAX_LINE, secure=False)
    except MalformedRequest:
        return None
    head = found.head
    assert len(head.fields.all("host")) == 1
    for name, value in head.fields:
        assert name == name.lower()
        assert not {"\r", "\n", "\0"} & {*name, *value}
    try:
        ForwardProxyTargets().tunnel_to(head) if head.method == "CONNECT" else ForwardProxyTargets().request(head)
        found.head_of(ended=True)
    except MalformedRequest:
        pass
    return found
