"""A request head as octets. What could be read as two heads is refused."""

from __future__ import annotations

import re
from functools import lru_cache

from addon.origin.content import RequestContent
from addon.origin.proxy import Route
from cache.http.messages import DEFAULT_PORTS, Request

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_OUTSIDE_TARGET = re.compile(r"[\x00-\x20\x7f]")
_OUTSIDE_VALUE = re.compile(r"[\x00\r\n]")


_FRAMING = ("content-length", "transfer-encoding")


def request_head(
    request: Request, route: Route, content: RequestContent | None = None, *, named_host: bool = False
) -> bytes:
    """Return the head of a request: its fields as they are, behind one Host line of its authority.

    Content is framed by a length or as chunks, whatever the fields say. With `named_host` the Host line says what
    the client's says.

    A request in clear that goes through an upstream proxy has the absolute form and the proxy's credentials.

    Raises:
        ValueError: method, target, a name or a value holds what would end or split the head; the request
            announces content and has none; it is a CONNECT, or neither for http nor for https.
    """
    if request.scheme not in DEFAULT_PORTS:
        raise ValueError(f"cannot send a request for the scheme {request.scheme!r}")
    authority = _checked(request.authority, _OUTSIDE_TARGET, "the authority")
    target = _checked(request.target, _OUTSIDE_TARGET, "the request target")
    if not _is_token(request.method) or request.method == "CONNECT":
        raise ValueError(f"cannot send the method {request.method!r}")
    if content is None:
        _refuse_content(request)
    dropped = ["host"]
    added = [("Host", _named(request, authority) if named_host else authority)]
    if content is not None:
        dropped += _FRAMING
        length = content.length
        added.append(("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length)))
    if route.proxy and route.scheme == "http":  # RFC 9112 §3.2.2
        target = f"http://{authority}{'' if target == '*' else target}"
        dropped.append("proxy-authorization")
        if route.proxy.authorization:
            added.append(("Proxy-Authorization", route.proxy.authorization))
    fields = _field_lines(tuple(added)) + _field_lines(request.fields.without(dropped).lines)
    return f"{request.method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")


@lru_cache(1024)
def _field_lines(fields: tuple[tuple[str, str], ...]) -> str:
    """Return field lines. Raises ValueError for a name or a value that would end or split one."""
    for name, value in fields:
        if not _is_token(name):
            raise ValueError(f"cannot send the field name {name!r}")
        _checked(value, _OUTSIDE_VALUE, name)
    return "".join([f"{name}: {value}\r\n" for name, value in fields])


@lru_cache(1024)
def _is_token(name: str) -> bool:
    return bool(_TOKEN.fullmatch(name))


def connect_head(route: Route) -> bytes:
    """Return the head of the CONNECT that asks a route's upstream proxy for a tunnel to the origin.

    Raises:
        ValueError: the host holds what would end or split the head.
    """
    authority = _checked(route.authority, _OUTSIDE_TARGET, "the authority")
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if route.proxy and route.proxy.authorization:
        lines.append(f"Proxy-Authorization: {route.proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _checked(text: str, forbidden: re.Pattern[str], what: str) -> str:
    if found := forbidden.search(text):
        raise ValueError(f"cannot send {what}: it holds {found.group()!r}")
    return text


def _named(request: Request, authority: str) -> str:
    named = request.fields.all("host")
    return named[0] if len(named) == 1 else authority  # RFC 9112 §3.2: never more than one


def _refuse_content(request: Request) -> None:
    lengths = request.fields.all("content-length")
    if request.has_content or "transfer-encoding" in request.fields or any(length != "0" for length in lengths):
        raise ValueError("cannot send a request with content")
