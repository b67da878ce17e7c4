"""Recognises an origin that does not speak HTTP/1.1, by the first bytes that it sends."""

from __future__ import annotations

_FIRST_HTTP_BYTES = frozenset((b"H", b"h", b"\r", b"\n", b""))
"""`HTTP/1.1` in any letter case, perhaps after empty lines."""

_TLS_ALERT = b"\x15\x03"  # RFC 8446 §5.1

_FIRST_HTTP2_FRAMES = (b"", b"\x04", b"\x07")
"""The fourth byte, if it has arrived: SETTINGS or GOAWAY (RFC 9113 §3.4, §4.1)."""


def other_protocol(data: bytes) -> str | None:
    """Return the end of a sentence about an origin whose first bytes are not HTTP/1.1, or None if they may be."""
    if data[:1] in _FIRST_HTTP_BYTES:
        return None
    if data[:2] == b"\x00\x00" and data[3:4] in _FIRST_HTTP2_FRAMES:
        return "speaks HTTP/2 only, and this proxy asks with HTTP/1.1"
    if data[:2] == _TLS_ALERT:
        return "speaks TLS on this port, but the request was for http, not https"
    return "does not speak HTTP"
