"""The first bytes in a CONNECT tunnel: however they are split, they lead to TLS, to another protocol, or to the end."""

from __future__ import annotations

import asyncio
from functools import cache

from addon.frontend.connect.tunnel import ConnectTunnel
from tools.fuzz.front_end import FrontEnd
from tools.fuzz.pieces import splits

TOKENS = [
    *(b"\x16\x03\x01", b"\x16\x03\x03", b"\x01\x00\x00", b"\x00\x10", b"\x02h2", b"\x08http/1.1", b"a.example"),
    *(b"GET / ", b"SSH-", b"\x00\x00", b"\x00\x2b\x00\x03\x02\x03\x04"),
]

HOST, PORT = "a.example", 443


class _Tunnel(ConnectTunnel):
    """A tunnel that starts as soon as it has a transport."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.start(transport, b"")


@cache
def front_end() -> FrontEnd:
    return FrontEnd()


def check(data: bytes) -> None:
    """Send bytes into a tunnel, whole and in pieces."""
    whole = _outcome([data])
    for pieces in splits(data):
        assert _outcome(pieces) == whole


def _outcome(pieces: list[bytes]) -> tuple[list[str], list[str]]:
    """Return the schemes of what begins inside the tunnel, and the names for which a certificate is asked."""
    frontend, schemes = front_end().frontend, []

    def inside(scheme: str, *_: object) -> asyncio.Protocol:
        schemes.append(scheme)
        return asyncio.Protocol()

    frontend.inside_tunnel = inside
    written = front_end().converse(lambda: _Tunnel(frontend, HOST, PORT, f"CONNECT {HOST}:{PORT} HTTP/1.1"), pieces)
    assert not written
    names = list(front_end().certificates.asked)
    assert len(schemes) + len(names) <= 1
    return schemes, names
