"""The first bytes in a CONNECT tunnel: however they are split, they lead to TLS, to another protocol, or to the end."""

from __future__ import annotations

import asyncio
from functools import cache

from addon.frontend.connect.tunnel import ESTABLISHED, ConnectTunnel
from addon.frontend.frontend import Frontend
from tools.fuzz.front_end import FrontEnd
from tools.fuzz.pieces import splits

TOKENS = [
    *(b"\x16\x03\x01", b"\x16\x03\x03", b"\x01\x00\x00", b"\x00\x10", b"\x02h2", b"\x08http/1.1", b"a.example"),
    *(b"GET / ", b"SSH-", b"\x00\x00", b"\x00\x2b\x00\x03\x02\x03\x04"),
]

HOST, PORT = "a.example", 443


class _Tunnel(ConnectTunnel):
    """A tunnel that starts as soon as it has a transport."""

    def __init__(self, frontend: Frontend) -> None:
        super().__init__(frontend, HOST, PORT, f"CONNECT {HOST}:{PORT} HTTP/1.1", self._inside)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.start(transport, b"")

    def _inside(self, *_: object) -> asyncio.Protocol:
        raise AssertionError("there is no certificate, so nothing is inside TLS")


@cache
def front_end() -> FrontEnd:
    return FrontEnd()


def check(data: bytes) -> None:
    """Send bytes into a tunnel, whole and in pieces."""
    whole = _outcome([data])
    for pieces in splits(data):
        assert _outcome(pieces) == whole


def _outcome(pieces: list[bytes]) -> tuple[list[str], list[str]]:
    """Return the modes in which mitmproxy gets the connection, and the names for which a certificate is asked."""
    written = front_end().converse(lambda: _Tunnel(front_end().frontend), pieces)
    assert written == ESTABLISHED
    modes = [mode for _, mode in front_end().handed_over]
    names = list(front_end().certificates.asked)
    assert len(modes) + len(names) <= 1
    return modes, names
