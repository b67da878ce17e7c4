"""Serialises request heads. A request is refused if an origin could read its head as two heads."""

from __future__ import annotations

import re
from functools import lru_cache

from addon.origin.proxy import Route
from addon.origin.request_body import RequestContent
from cache.http.field_table import FRAMING
from cache.http.fields import TOKEN
from cache.http.messages import DEFAULT_PORTS, Request
from cache.rules.forwarded_fields import forwarded_fields

_FORBIDDEN_IN_TARGET = re.compile(r"[\x00-\x20\x7f]")
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00\r\n]")


def request_head(
    request: Request, route: Route, content: RequestContent | None = None, *, named_host: bool = False
) -> bytes:
    """Return the head of a request: one Host line with the authority of its URL, then its other fields unchanged.

    The fields about its client are the last ones.

    The framing fields are replaced: Content-Length if the content has a length, else Transfer-Encoding. With
    `named_host` the Host line has the client's value.

    An http request to an upstream proxy has the absolute form and the proxy's credentials.

    Raises:
        ValueError: the method, the target, a field name or a field value contains characters that would end or split
            the head; the request announces content but has none; it is a CONNECT; its scheme is not http or https.
    """
    if request.scheme not in DEFAULT_PORTS:
        raise ValueError(f"cannot send a request for the scheme {request.scheme!r}")
    authority = _checked(request.authority, _FORBIDDEN_IN_TARGET, "the authority")
    target = _checked(request.target, _FORBIDDEN_IN_TARGET, "the request target")
    if not _is_token(request.method) or request.method == "CONNECT":
        raise ValueError(f"cannot send the method {request.method!r}")
    if content is None:
        _refuse_content(request)
    dropped = ["host"]
    added = [("Host", _client_host(request, authority) if named_host else authority)]
    if content is not None:
        dropped += FRAMING
        length = content.length
        added.append(("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length)))
    if "te" in request.fields:
        added.append(("Connection", "TE"))  # RFC 9110 §10.1.4
    if route.proxy and route.scheme == "http":  # RFC 9112 §3.2.2
        target = f"http://{authority}{'' if target == '*' else target}"
        dropped.append("proxy-authorization")
        if route.proxy.authorization:
            added.append(("Proxy-Authorization", route.proxy.authorization))
    fields = _field_lines(tuple(added)) + _field_lines(request.fields.without(dropped).lines)
    return f"{request.method} {target} HTTP/1.1\r\n{fields}".encode("latin-1") + client_lines(request) + b"\r\n"


def client_lines(request: Request) -> bytes:
    """Return the field lines about the client, which are the last ones. Raises ValueError as `request_head` does."""
    return _field_lines(forwarded_fields(request).lines).encode("latin-1") if request.client is not None else b""


@lru_cache(1024)
def _field_lines(fields: tuple[tuple[str, str], ...]) -> str:
    """Return serialised field lines. Raises ValueError for a name or a value that would end or split a line."""
    for name, value in fields:
        if not _is_token(name):
            raise ValueError(f"cannot send the field name {name!r}")
        _checked(value, _FORBIDDEN_IN_VALUE, name)
    return "".join([f"{name}: {value}\r\n" for name, value in fields])


@lru_cache(1024)
def _is_token(name: str) -> bool:
    return bool(TOKEN.fullmatch(name))


def connect_head(route: Route) -> bytes:
    """Return the head of the CONNECT request that opens a tunnel to the origin through the route's upstream proxy.

    Raises:
        ValueError: the host contains characters that would end or split the head.
    """
    authority = _checked(route.authority, _FORBIDDEN_IN_TARGET, "the authority")
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if route.proxy and route.proxy.authorization:
        lines.append(f"Proxy-Authorization: {route.proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _checked(text: str, forbidden: re.Pattern[str], description: str) -> str:
    if found := forbidden.search(text):
        raise ValueError(f"cannot send {description}: it contains {found.group()!r}")
    return text


def _client_host(request: Request, authority: str) -> str:
    hosts = request.fields.all("host")
    return hosts[0] if len(hosts) == 1 else authority  # RFC 9112 §3.2: never more than one


def _refuse_content(request: Request) -> None:
    lengths = request.fields.all("content-length")
    if request.has_content or "transfer-encoding" in request.fields or any(length != "0" for length in lengths):
        raise ValueError("cannot send a request with content")
