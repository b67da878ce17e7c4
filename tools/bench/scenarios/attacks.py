"""What hostile clients, and origins, send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 4096
FIELDS = b"A: a\r\n" * (PIECE // 6)


@dataclass(frozen=True, slots=True)
class Attack:
    """What a client sends."""

    what: str
    begin: bytes
    on: bytes = b""
    """Sent again and again behind the beginning."""
    pause: float = 0
    """Seconds between two pieces."""


def attacks(origin: int) -> Iterator[Attack]:
    """Return them all, for a rude origin on a port."""
    get = _head("GET", origin, "one")
    post = _head("POST", origin, "swallow") + b"Transfer-Encoding: chunked\r\n\r\n"
    yield Attack("a request line without end", b"GET /", b"a" * PIECE)
    yield Attack("a field without end", get + b"A: ", b"a" * PIECE)
    yield Attack("fields without end", get, FIELDS)
    yield Attack("a head of an octet a second", get + b"A: ", b"a", pause=1)
    yield Attack("a chunk extension without end", post + b"5;a=", b"a" * PIECE)
    yield Attack("trailers without end", post + b"0\r\n", FIELDS)
    for path in ("field", "fields", "extension", "trailers"):
        yield Attack(f"an origin's {path} without end", _head("GET", origin, path) + b"\r\n")


def _head(method: str, origin: int, path: str) -> bytes:
    """The beginning of a request head."""
    host = f"127.0.0.1:{origin}"
    return f"{method} http://{host}/{path} HTTP/1.1\r\nHost: {host}\r\n".encode()
