"""A response head as bytes, with the framing of one HTTP/1 connection."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cache.http.messages import Fields, Response
from cache.http.record import record

WITHOUT_CONTENT = frozenset({204, 304})
"""Statuses besides 1xx without content: the next response follows the head (RFC 9112 §6.3)."""


@record
class Framing:
    """The framing of one response."""

    chunked: bool = False
    close: bool = False
    """The connection ends with the response."""
    keep_alive: bool = False
    """Send `Connection: keep-alive`, to a client of HTTP/1.0 that asked for it."""


WITHOUT_FRAMING = Framing()
"""The framing of an interim response."""


def framing_of(head: Response, method: str, version: str, *, persistent: bool) -> Framing:
    """Return how a response to a request with this method and HTTP version is framed.

    `persistent` tells whether the connection may be kept, as far as the request and the proxy go.
    """
    ends_with_head = method == "HEAD" or head.status in WITHOUT_CONTENT
    without_length = not ends_with_head and "content-length" not in head.fields
    chunked = without_length and version == "HTTP/1.1"
    close = not persistent or (without_length and not chunked)  # RFC 9112 §6.3: HTTP/1.0 knows no chunks
    return Framing(chunked, close, keep_alive=version == "HTTP/1.0" and not close)


def head_bytes(head: Response, framing: Framing = WITHOUT_FRAMING) -> bytes:
    """Return the bytes of a head, including the empty line at the end."""
    return _head_bytes(head.status, head.reason, head.fields, framing)


def escaped(head: Response) -> list[tuple[str, str]]:
    """Return the field lines of a head with `%` doubled, for a template. Places to fill in may be put into them."""
    return [(name.replace("%", "%%"), value.replace("%", "%%")) for name, value in head.fields.lines]


def template_bytes(head: Response, lines: Iterable[tuple[str, str]], framing: Framing) -> bytes:
    """Return the bytes of a head with other field lines, to be filled in with `%`."""
    fields = Fields(tuple(lines))
    return head_bytes(Response(head.status, head.reason.replace("%", "%%"), fields, head.version), framing)


@lru_cache(maxsize=512)
def _head_bytes(status: int, reason: str, fields: Fields, framing: Framing) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *[f"{name}: {value}" for name, value in fields.lines]]
    if framing.chunked:
        lines.append("Transfer-Encoding: chunked")
    if framing.close:
        lines.append("Connection: close")
    elif framing.keep_alive:
        lines.append("Connection: keep-alive")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
