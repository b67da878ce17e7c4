"""Messages for denial-of-service attacks, from clients and from origins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 4096
"""Bytes."""

FIELDS = b"A: a\r\n" * (PIECE // 6)


@dataclass(frozen=True, slots=True)
class Attack:
    """The bytes that one client sends."""

    name: str
    start: bytes
    repeated: bytes = b""
    """Sent again and again after the start."""
    pause: float = 0
    """Seconds between two pieces."""


def attacks(origin_port: int) -> Iterator[Attack]:
    """Iterate over all attacks, with requests to a `SyntheticOrigin` on a port."""
    get = _head_start("GET", origin_port, "one")
    post = _head_start("POST", origin_port, "no-response") + b"Transfer-Encoding: chunked\r\n\r\n"
    yield Attack("an endless request line", b"GET /", b"a" * PIECE)
    yield Attack("an endless header field", get + b"A: ", b"a" * PIECE)
    yield Attack("an endless number of header fields", get, FIELDS)
    yield Attack("a head at one byte per second", get + b"A: ", b"a", pause=1)
    yield Attack("an endless chunk extension", post + b"5;a=", b"a" * PIECE)
    yield Attack("endless trailers", post + b"0\r\n", FIELDS)
    for path, name in (
        ("field", "an endless header field"),
        ("fields", "an endless number of header fields"),
        ("extension", "an endless chunk extension"),
        ("trailers", "endless trailers"),
    ):
        yield Attack(f"{name} from the origin", _head_start("GET", origin_port, path) + b"\r\n")


def _head_start(method: str, origin_port: int, path: str) -> bytes:
    """Return the request line and Host of a request, without the empty line that ends the head."""
    host = f"127.0.0.1:{origin_port}"
    return f"{method} http://{host}/{path} HTTP/1.1\r\nHost: {host}\r\n".encode()
