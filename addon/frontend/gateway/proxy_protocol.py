"""The PROXY protocol: the header by which a proxy tells, ahead of a connection's own bytes, whose connection it is.

Versions 1 and 2 of https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt are read strictly: a header that is not
exactly as described there ends the connection.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

MAX_TEXT = 107
"""Bytes of the longest header of version 1, its CR LF included (§2.1)."""

_TEXT, _BINARY = b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"

_BEGINNING = struct.Struct("!12sBBH")
"""The first bytes of version 2: signature, version and command, family and protocol, length of the rest (§2.2)."""

_LOCAL, _PROXY = 0x20, 0x21
_STREAM = 0x1
_DATAGRAM = 0x2
_TCP4, _TCP6, _UNIX = 0x11, 0x21, 0x31
_LENGTHS = {0x1: 12, 0x2: 36, 0x3: 216}
"""Bytes of both addresses with their ports, by family: IPv4, IPv6, Unix."""

_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|TCP(?P<family>[46]) (?P<source>[0-9A-Fa-f:.]+) (?P<target>[0-9A-Fa-f:.]+)"
    rb" (?P<port>0|[1-9][0-9]{0,4}) (?P<target_port>0|[1-9][0-9]{0,4}))\r\n"
)


class MalformedProxyHeader(Exception):
    """Bytes that are no header of the PROXY protocol. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A header of the PROXY protocol."""

    length: int
    """Its length in bytes."""
    source: tuple[str, int] | None = None
    """Address and port of the client; None if the connection is the proxy's own, or the client has none."""


def read_header(data: bytes) -> ProxyHeader | None:
    """Return the header that a connection begins with, or None if more bytes are needed.

    Raises:
        MalformedProxyHeader: there will be none.
    """
    if data.startswith(_BINARY):
        return _read_binary(data)
    if data.startswith(_TEXT):
        return _read_text(data)
    if _BINARY.startswith(data) or _TEXT.startswith(data):
        return None
    raise MalformedProxyHeader("The connection does not begin with a header of the PROXY protocol.")


def _read_text(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, MAX_TEXT) + 1
    if not end:
        if len(data) >= MAX_TEXT:
            raise MalformedProxyHeader(f"The header of version 1 is longer than {MAX_TEXT} bytes.")
        return None
    line = _LINE.fullmatch(data, 0, end)
    if line is None:
        raise MalformedProxyHeader("The header of version 1 is malformed.")
    if line["family"] is None:
        return ProxyHeader(end)
    expected = IPv4Address if line["family"] == b"4" else IPv6Address
    source, target = _address(line["source"]), _address(line["target"])
    port, target_port = int(line["port"]), int(line["target_port"])
    if not (isinstance(source, expected) and isinstance(target, expected)) or max(port, target_port) > 65_535:
        raise MalformedProxyHeader("The header of version 1 names no address.")
    return ProxyHeader(end, (_text(source), port))


def _address(text: bytes) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.decode("ascii"))
    except ValueError:
        return None


def _read_binary(data: bytes) -> ProxyHeader | None:
    if len(data) < _BEGINNING.size:
        return None
    _, command, family, length = _BEGINNING.unpack_from(data)
    if command not in (_LOCAL, _PROXY):
        raise MalformedProxyHeader("The header has another version than 1 and 2, or an unknown command.")
    known = family == 0 or (family >> 4 in _LENGTHS and family & 0xF in (_STREAM, _DATAGRAM))
    if not known or (command == _PROXY and family & 0xF == _DATAGRAM):
        raise MalformedProxyHeader("The header of version 2 is for no stream.")
    addresses = _LENGTHS.get(family >> 4, 0)
    if length < addresses:
        raise MalformedProxyHeader("The header of version 2 is too short for its addresses.")
    end = _BEGINNING.size + length
    if len(data) < end:
        return None
    rest = data[_BEGINNING.size : end]
    if family:  # §2.2: without a family, what follows is not described
        _check_extensions(rest[addresses:])
    if command == _LOCAL or family not in (_TCP4, _TCP6):
        return ProxyHeader(end)
    source = IPv4Address(rest[:4]) if family == _TCP4 else IPv6Address(rest[:16])
    port = int.from_bytes(rest[8:10] if family == _TCP4 else rest[32:34])
    return ProxyHeader(end, (_text(source), port))


def _check_extensions(data: bytes) -> None:
    """Check that the rest of a header consists of whole extensions (type, length, value), which are not used here."""
    place = 0
    while place < len(data):
        if len(data) < place + 3:
            raise MalformedProxyHeader("An extension in the header of version 2 is cut off.")
        place += 3 + int.from_bytes(data[place + 1 : place + 3])
    if place > len(data):
        raise MalformedProxyHeader("An extension in the header of version 2 is cut off.")


def _text(address: IPv4Address | IPv6Address) -> str:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
