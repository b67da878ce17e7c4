"""Converts between mitmproxy's messages and the cache's."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from mitmproxy import http

from addon.pipeline.reply import Reply
from cache.http.messages import DEFAULT_PORTS, Fields, Request, Response


def head_of_request(request: http.Request) -> Request:
    """Return the head of a request for the cache, as mitmproxy addresses it."""
    return Request(
        method=request.method,
        scheme=request.scheme,
        host=request.pretty_host,
        port=request.port,
        target=request.path,
        fields=fields_of(request.headers),
    )


def named_authority(host: str | None, scheme: str) -> tuple[str, int] | None:
    """Return the host and port in a Host field, or None if there are none."""
    try:
        parts = urlsplit(f"//{host or ''}")
        return (parts.hostname, parts.port or DEFAULT_PORTS[scheme]) if parts.hostname else None
    except ValueError:
        return None


def has_content(request: http.Request) -> bool:
    """Return whether a request has content, as far as is known."""
    declared = "transfer-encoding" in request.headers or request.headers.get("content-length", "0").strip() != "0"
    return declared or bool(request.raw_content)


def joined_cookies(fields: Fields) -> Fields:
    """Return the fields with their Cookie lines joined, which HTTP/2 may split (RFC 9113 §8.2.3)."""
    cookies = fields.all("cookie")
    return fields.replacing("cookie", "; ".join(cookies)) if len(cookies) > 1 else fields


def fields_of(headers: http.Headers) -> Fields:
    """Return mitmproxy's header fields as the cache's."""
    return Fields(tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.fields))


def headers_of(fields: Fields) -> http.Headers:
    """Return the cache's fields as mitmproxy's header fields."""
    return http.Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])


def head_of(response: http.Response) -> Response:
    """Return the head of a response for the cache."""
    return Response(
        response.status_code, response.data.reason.decode("latin-1"), fields_of(response.headers), response.http_version
    )


def whole_response(request: http.Request, reply: Reply) -> http.Response:
    """Return a reply with its content in memory as a response of mitmproxy. Raises TypeError for a stream."""
    if not isinstance(reply.content, bytes):
        raise TypeError("a stream cannot be sent in one piece")
    content = b"" if request.method == "HEAD" else reply.content  # RFC 9110 §9.3.2; errors of our own have content
    now, head = time.time(), reply.head
    reason = head.reason.encode("latin-1")
    return http.Response(
        http_version=b"HTTP/1.1",
        status_code=head.status,
        reason=reason,
        headers=headers_of(head.fields),
        content=content,
        trailers=None,
        timestamp_start=now,
        timestamp_end=now,
    )
