"""A response head as octets, with the framing of one HTTP/1 connection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cache.http.messages import Fields, Response

WITHOUT_CONTENT = frozenset({204, 304})
"""Besides 1xx: what follows such a head is the next response (RFC 9112 §6.3)."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How one response goes out."""

    chunked: bool = False
    close: bool = False
    """The connection ends with it."""
    keep_alive: bool = False
    """Said to a client of HTTP/1.0 that asked for it."""


def framing_of(head: Response, method: str, version: str, *, persistent: bool) -> Framing:
    """Return how a response to that method goes to a client of that HTTP version.

    `persistent` tells whether the connection is to be kept, as far as the request goes.
    """
    ends_with_head = method == "HEAD" or head.status in WITHOUT_CONTENT
    countless = not ends_with_head and "content-length" not in head.fields
    chunked = countless and version == "HTTP/1.1"
    close = not persistent or (countless and not chunked)  # RFC 9112 §6.3: HTTP/1.0 knows no chunks
    return Framing(chunked, close, keep_alive=version == "HTTP/1.0" and not close)


def head_octets(head: Response, framing: Framing = Framing()) -> bytes:
    """Return the octets of a head, the empty line at the end included."""
    return _octets(head.status, head.reason, head.fields, framing)


@lru_cache(maxsize=512)
def _octets(status: int, reason: str, fields: Fields, framing: Framing) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *[f"{name}: {value}" for name, value in fields.lines]]
    if framing.chunked:
        lines.append("Transfer-Encoding: chunked")
    if framing.close:
        lines.append("Connection: close")
    elif framing.keep_alive:
        lines.append("Connection: keep-alive")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
