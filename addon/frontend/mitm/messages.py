"""Converts between mitmproxy's messages and the cache's."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from mitmproxy import http

from addon.pipeline.reply import Reply
from cache.http.messages import DEFAULT_PORTS, Fields, Request, Response


def request_of(flow: http.HTTPFlow, *, edge: bool = False) -> Request:
    """Return the request head of a flow for the cache; at an edge, addressed as the client addressed it."""
    request = flow.request
    fields = fields_of(request.headers)
    if request.is_http2 or request.is_http3:
        fields = joined_cookies(fields).replacing("Host", request.authority or request.data.host)
    scheme, host, port = request.scheme, request.data.host, request.data.port
    if edge:
        scheme = "https" if flow.client_conn.tls else "http"
        host, port = named_authority(fields.get("host"), scheme) or (host, port)
    if edge or not _in_tunnel(flow):
        # RFC 9112 §3.2.2: the absolute-form target counts, not Host
        fields = fields.without(["host"])
    return Request(
        method=request.data.method.decode("latin-1"),
        scheme=scheme,
        host=host,
        port=port,
        target=request.data.path.decode("latin-1"),
        fields=fields,
        version=request.http_version,
        has_content=has_content(request),
        tls_name=None if edge else flow.client_conn.sni,
    )


def _in_tunnel(flow: http.HTTPFlow) -> bool:
    return flow.client_conn.tls or flow.request.is_http2 or flow.request.is_http3


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
