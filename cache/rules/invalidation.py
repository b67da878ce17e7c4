"""What an answer to an unsafe method says is out of date (RFC 9111 §4.4)."""

from __future__ import annotations

from urllib.parse import urljoin

from cache.http.messages import Request, Response
from cache.rules.key import primary_key, request_for

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"})
"""Methods known to be safe; any other counts as unsafe."""


def is_safe(request: Request) -> bool:
    """Tell whether a request only reads."""
    return request.method in SAFE_METHODS or bool(request.content_digest)


def invalidated_keys(request: Request, response: Response) -> tuple[str, ...]:
    """Return the primary keys whose stored responses need validation from now on."""
    if is_safe(request) or not 200 <= response.status <= 399:
        return ()
    named = [_same_origin_key(request, response.fields.get(name)) for name in ("location", "content-location")]
    return tuple(dict.fromkeys(key for key in (primary_key(request), *named) if key))


def keys_in_doubt(request: Request) -> tuple[str, ...]:
    """Return the keys in doubt when an unsafe request was sent and no answer came (ledger INVAL-07)."""
    return () if is_safe(request) else (primary_key(request),)


def _same_origin_key(request: Request, reference: str | None) -> str | None:
    """Return the key of a URI reference, or None if it is not on the request's origin (RFC 9111 §4.4)."""
    if not reference:
        return None
    try:
        named = request_for(urljoin(request.uri, reference))
    except ValueError:
        return None
    same = (named.scheme, named.host.lower(), named.port) == (request.scheme, request.host.lower(), request.port)
    return primary_key(named) if same else None
