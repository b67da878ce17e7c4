"""Checks of heads that mitmproxy has parsed: requests are refused, or responses not stored, if they are ambiguous."""

from __future__ import annotations

import re

from mitmproxy import http

from addon.config.settings import LimitSettings
from cache.http.fields import HOST, TOKEN, is_host
from cache.http.messages import host_in_uri

_OUTSIDE_VALUE = re.compile(rb"[\x00\r\n]")
_OUTSIDE_TARGET = re.compile(rb"[\x00-\x20\x7f#]")
_AUTHORITY = re.compile(rf"(?:{HOST})?(?::[0-9]*)?".encode())


def size_fault_of(request: http.Request, limits: LimitSettings) -> tuple[str, int] | None:
    """Return a sentence about what in a request head is larger than allowed, and the status for it; or None.

    mitmproxy has read the whole head before, so this spares the cache and the origin only.
    """
    lines = [len(name) + len(value) + len(": ") for name, value in request.headers.fields]
    request_line = len(request.data.method) + len(request.data.path) + len("  HTTP/1.1")
    if request_line > limits.max_line:  # RFC 9112 §3
        return f"The request line is longer than {limits.max_line} bytes.", 414
    if max(lines, default=0) > limits.max_line:  # RFC 6585 §5
        return f"A field line of the request is longer than {limits.max_line} bytes.", 431
    if request_line + sum(lines) + len("\r\n") * (len(lines) + 2) > limits.max_head:
        return f"The request head is larger than {limits.max_head} bytes.", 431
    return None


def fault_of_response(response: http.Response) -> str | None:
    """Return what makes a response head ambiguous, or None."""
    fields = response.headers.fields
    if any(_OUTSIDE_VALUE.search(value) for _, value in fields):
        return "a field value with a line break or NUL"  # RFC 9110 §5.5
    if not all(TOKEN.fullmatch(name.decode("latin-1")) for name, _ in fields):
        return "a field name that is no token"
    if len({value for name, value in fields if name.lower() == b"content-length"}) > 1:
        return "two values of Content-Length"  # RFC 9112 §6.3
    return None


def fault_of(request: http.Request) -> str | None:
    """Return a sentence about what makes a request head ambiguous, or None."""
    if "@" in request.data.host:
        return "The target URI has user information."  # RFC 9110 §4.2.4
    if not is_host(host_in_uri(request.data.host)):
        return "The request names no host that could be asked."
    if _OUTSIDE_TARGET.search(request.data.path):
        return "The request target has a fragment, a space or a control character."
    if not request.data.path.startswith(b"/") and (request.data.method, request.data.path) != (b"OPTIONS", b"*"):
        return "The request target does not begin with a slash."  # RFC 9113 §8.3.1
    if any(_OUTSIDE_VALUE.search(value) for _, value in request.headers.fields):
        return "A field value has a line break or NUL."  # RFC 9110 §5.5
    hosts = [value for name, value in request.headers.fields if name.lower() == b"host"]
    if request.http_version == "HTTP/1.1" and len(hosts) != 1:
        return "An HTTP/1.1 request has exactly one Host field."  # RFC 9112 §3.2
    if not all(_AUTHORITY.fullmatch(host) for host in hosts):
        return "The Host field names no host."
    return None
