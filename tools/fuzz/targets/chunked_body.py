"""A body in chunks: what is taken for content was declared as content, in any split and with any limits."""

from __future__ import annotations

from addon.origin.chunked_body import ChunkedBody
from addon.origin.options import OriginOptions
from addon.origin.response_head import MalformedResponse
from cache.http.messages import Fields
from tools.fuzz.pieces import repeated, splits

TOKENS = [b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n", b";a=b\r\n", b" ;", b"A: b\r\n", b"\r\n", b"ffffffffffffffff\r\n"]

OPTIONS = OriginOptions(max_head=200, max_line=100, max_fields=4)

HELD_BEYOND_LIMITS = 8192
"""Bytes that a decoder may hold beside the line that it has not read to its end."""

type Result = tuple[bytes, bool, Fields, bool, bool]


def check(data: bytes) -> None:
    """Decode bytes, with and without bare line feeds, whole and in pieces."""
    for bare_lf in (False, True):
        whole = _decode([data], bare_lf=bare_lf)
        content, complete, trailers, dropped, _ = whole
        assert len(content) <= len(data)
        assert complete or not (trailers.lines or dropped)
        assert all(name.lower() not in ("content-length", "transfer-encoding") for name, _ in trailers)
        assert len(trailers.lines) <= OPTIONS.max_fields
        for pieces in splits(data):
            assert _decode(pieces, bare_lf=bare_lf) == whole
        # the same content in chunks of our own is decoded to itself
        assert _decode([b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)], bare_lf=bare_lf)[:2] == (
            content,
            True,
        ) or (not content)
        if (long := repeated(data)) is not None:
            assert len(_decode([long], bare_lf=bare_lf)[0]) <= len(long)


def _decode(pieces: list[bytes], *, bare_lf: bool) -> Result:
    """Return content, completeness, trailers, whether these were dropped, and whether the body is malformed."""
    decoder, content = ChunkedBody(OPTIONS, bare_lf=bare_lf), []
    malformed = False
    try:
        for piece in pieces:
            if decoder.complete:
                break
            decoder.decode(piece, content)
    except MalformedResponse:
        malformed = True
    return b"".join(content), decoder.complete, decoder.trailers, decoder.trailers_dropped, malformed
