"""Invalidation: the keys whose stored responses a response to an unsafe method makes stale (RFC 9111 §4.4)."""

from __future__ import annotations

from urllib.parse import urljoin

from cache.http.messages import Request, Response
from cache.rules.key import primary_key, request_for

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"})
"""Methods known to be safe; any other is treated as unsafe."""


def is_safe(request: Request) -> bool:
    """Return whether a request only reads: its method is safe, or it is a POST that a rule says only reads."""
    return request.method in SAFE_METHODS or bool(request.content_digest)


def invalidated_keys(request: Request, response: Response) -> tuple[str, ...]:
    """Return the primary keys that this exchange invalidates: their responses must be validated before any use."""
    if is_safe(request) or not 200 <= response.status <= 399:
        return ()
    locations = [_same_origin_key(request, response.fields.get(name)) for name in ("location", "content-location")]
    return tuple(dict.fromkeys(key for key in (primary_key(request), *locations) if key))


def keys_in_doubt(request: Request) -> tuple[str, ...]:
    """Return the keys to invalidate when a request was sent and no response came (ledger INVAL-07).

    The origin may have carried out an unsafe request, so stored responses for its URI may be out of date.
    """
    return () if is_safe(request) else (primary_key(request),)


def _same_origin_key(request: Request, reference: str | None) -> str | None:
    """Return the primary key of a URI reference, or None if it has another origin than the request (RFC 9111 §4.4)."""
    if not reference:
        return None
    try:
        target = request_for(urljoin(request.uri, reference))
    except ValueError:
        return None
    return primary_key(target) if target.origin == request.origin else None
