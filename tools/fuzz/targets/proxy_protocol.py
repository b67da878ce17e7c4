"""PROXY protocol: a header is read in the same way however it arrives, and names an address, or nobody."""

from __future__ import annotations

from ipaddress import ip_address

from addon.frontend.gateway.proxy_protocol import MAX_TEXT, MalformedProxyHeader, ProxyHeader, read_header

TOKENS = [b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"\r\n", b"192.0.2.1 ", b"2001:db8::1 ", b"80 ", b"65535"]
TOKENS += [b"\r\n\r\n\0\r\nQUIT\n", b"\x20", b"\x21", b"\x11", b"\x31", b"\0\x0c", b"\0\x24", b"\0\xd8"]


def check(data: bytes) -> None:
    """Read the beginning of a connection as a header, whole and with the last byte missing."""
    header = _read(data)
    if not isinstance(header, ProxyHeader):
        # what is refused stays so, whatever follows; a header of version 1 is refused once it is too long
        assert header is not None or not data.startswith(b"PROXY ") or len(data) < MAX_TEXT
        return
    assert 0 < header.length <= len(data)
    assert header.source is None or (ip_address(header.source[0]) and 0 <= header.source[1] <= 65_535)
    assert _read(data[: header.length]) == _read(data + b"more") == header
    assert _read(data[: header.length - 1]) is None


def _read(data: bytes) -> ProxyHeader | MalformedProxyHeader | None:
    try:
        return read_header(data)
    except MalformedProxyHeader as malformed:
        return malformed
