"""The headers of the PROXY protocol: whole ones are read, incomplete ones waited for, and all others refused."""

from __future__ import annotations

import struct

import pytest

from addon.frontend.gateway.proxy_protocol import MAX_TEXT, MalformedProxyHeader, ProxyHeader, read_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PORTS = struct.pack("!HH", 50_000, 443)
V4 = bytes([203, 0, 113, 7, 192, 0, 2, 1]) + PORTS
V6 = bytes.fromhex("20010db8000000000000000000000007") + bytes(16) + PORTS


def binary(rest: bytes, command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest) if length is None else length) + rest


HEADERS = {
    "version 1, IPv4": (b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\r\n", ("203.0.113.7", 50_000)),
    "version 1, IPv6": (b"PROXY TCP6 2001:DB8::7 2001:db8::1 50000 443\r\n", ("2001:db8::7", 50_000)),
    "version 1, a mapped address": (b"PROXY TCP6 ::ffff:203.0.113.7 ::1 1 0\r\n", ("203.0.113.7", 1)),
    "version 1, the longest": (b"PROXY UNKNOWN " + b"f" * (MAX_TEXT - 16) + b"\r\n", None),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", None),
    "version 2, IPv4": (binary(V4), ("203.0.113.7", 50_000)),
    "version 2, IPv6": (binary(V6, family=0x21), ("2001:db8::7", 50_000)),
    "version 2, Unix": (binary(bytes(216), family=0x31), None),
    "version 2, no family": (binary(b"anything", family=0), None),
    "version 2, the proxy's own": (binary(b"", command=0x20, family=0), None),
    "version 2, the proxy's own with addresses": (binary(V4, command=0x20), None),
    "version 2, extensions": (binary(V4 + b"\x04\0\x03abc" + b"\x03\0\x04crc!"), ("203.0.113.7", 50_000)),
}

MALFORMED = {
    "no header": b"GET / HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01",
    "lower case": b"proxy TCP4 203.0.113.7 192.0.2.1 50000 443\r\n",
    "version 1, a space more": b"PROXY TCP4  203.0.113.7 192.0.2.1 50000 443\r\n",
    "version 1, another family": b"PROXY UDP4 203.0.113.7 192.0.2.1 50000 443\r\n",
    "version 1, the wrong family": b"PROXY TCP4 2001:db8::7 2001:db8::1 50000 443\r\n",
    "version 1, no address": b"PROXY TCP4 203.0.113.256 192.0.2.1 50000 443\r\n",
    "version 1, a zone": b"PROXY TCP6 fe80::1%eth0 ::1 50000 443\r\n",
    "version 1, a port too high": b"PROXY TCP4 203.0.113.7 192.0.2.1 65536 443\r\n",
    "version 1, a leading zero": b"PROXY TCP4 203.0.113.7 192.0.2.1 050 443\r\n",
    "version 1, only LF": b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\n",
    "version 1, a port missing": b"PROXY TCP4 203.0.113.7 192.0.2.1 50000\r\n",
    "version 1, too long": b"PROXY UNKNOWN " + b"f" * (MAX_TEXT - 15) + b"\r\n",
    "version 1, without an end": b"PROXY " + b"f" * MAX_TEXT,
    "version 2, another version": binary(V4, command=0x11),
    "version 2, another command": binary(V4, command=0x22),
    "version 2, another family": binary(V4, family=0x41),
    "version 2, datagrams": binary(V4, family=0x12),
    "version 2, too short": binary(V4[:-1]),
    "version 2, an extension cut off": binary(V4 + b"\x04\0\x09abc"),
    "version 2, an extension without a length": binary(V4 + b"\x04\0"),
}


@pytest.mark.parametrize(("data", "source"), HEADERS.values(), ids=HEADERS)
def test_a_header_names_the_client(data: bytes, source: tuple[str, int] | None) -> None:
    assert read_header(data) == read_header(data + b"GET / HTTP/1.1") == ProxyHeader(len(data), source)
    assert [read_header(data[:length]) for length in range(len(data))] == [None] * len(data)


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedProxyHeader, match=r"\.$"):
        read_header(data)
