"""The header block of a request to an origin (RFC 9113 §8.3.1)."""

from __future__ import annotations

from functools import lru_cache

from addon.origin.http2.header_block import CONNECTION_FIELDS, encode
from addon.origin.request_body import RequestContent
from cache.http.fields import tokens
from cache.http.messages import Fields, Request
from cache.rules.forwarded_fields import forwarded_fields

_PATH = 0x14
"""The beginning of a path that belongs in no table: a literal whose name is the fourth of the static table."""

_SHORT = 126
"""Bytes of the longest text whose length takes one byte (RFC 7541 §5.1)."""

_DROPPED = CONNECTION_FIELDS | {"host", "te"}


def request_block(
    request: Request, scheme: str, content: RequestContent | None = None, *, named_host: bool = False
) -> bytes:
    """Return the header block of a request that `request_head` has accepted.

    Args:
        request: The request's head. Fields of one connection are left out.
        scheme: `https` if the origin is reached over TLS, else `http`.
        content: The request's content.
        named_host: Send the client's Host field as the authority, even if it differs from the host of the URL.
    """
    hosts = request.fields.all("host")
    authority = hosts[0] if named_host and len(hosts) == 1 else request.authority
    length = None
    if content is not None:
        length = content.length if content.length is not None else -1
    pseudo = _pseudo_block(request.method, scheme, authority)
    return pseudo + path_block(request.target) + _fields_block(request.fields, length) + client_block(request)


def open_block(request: Request, scheme: str) -> tuple[bytes, bytes]:
    """Return the parts of the header block of a request without content before and behind its path."""
    return _pseudo_block(request.method, scheme, request.authority), _fields_block(request.fields, None)


def path_block(target: str) -> bytes:
    """Return the part of a header block with the path."""
    path = target.encode("latin-1")
    if len(path) <= _SHORT:
        return b"%c%c%b" % (_PATH, len(path), path)
    return encode([(":path", target)])


def client_block(request: Request) -> bytes:
    """Return the part of a header block with the fields about the client, which is the last one."""
    return _fields_block(forwarded_fields(request), None) if request.client is not None else b""


@lru_cache(maxsize=512)
def _pseudo_block(method: str, scheme: str, authority: str) -> bytes:
    """Return the block of the pseudo-fields that most requests to an origin have in common."""
    return encode([(":method", method), (":scheme", scheme), (":authority", authority)])


@lru_cache(maxsize=512)
def _fields_block(fields: Fields, length: int | None) -> bytes:
    """Return the block of regular fields. A `length` replaces Content-Length; -1 removes it."""
    lines = list(fields.without(_DROPPED))
    if length is not None:
        lines = [(name, value) for name, value in lines if name.lower() != "content-length"]
        lines += [("content-length", str(length))] if length >= 0 else []
    if "trailers" in tokens(fields.get("te")):  # RFC 9113 §8.2.2: the only value that is allowed
        lines.append(("te", "trailers"))
    return encode(lines)
