"""Where a request goes: what the client named, on which kind of connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from addon.frontend.http1.request_head import MalformedRequest, RequestHead
from cache.http.messages import DEFAULT_PORTS, Fields, Request

_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]+):[0-9]{1,5}")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x20\x7f/?#@:\[\]]+)(?::([0-9]{0,5}))?")


class RequestTargets(Protocol):
    """What a connection already says about the requests on it."""

    @property
    def prefix(self) -> bytes:
        """What tells request heads apart that are alike, octet by octet, but go elsewhere."""

    @property
    def mode(self) -> str:
        """The mode in which mitmproxy handles such a connection."""

    def request(self, head: RequestHead) -> Request:
        """Return the request with its target taken apart. Raises Malformed."""

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Return host and port that a CONNECT asks for. Raises Malformed."""


@dataclass(frozen=True, slots=True)
class ForwardProxyTargets:
    """A forward proxy's plain connection: every target names its origin."""

    prefix: bytes = b"\n"
    """No tunnel's prefix begins like this: nothing a client says here can pass for a head that came inside one."""
    mode: str = "regular"

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Return host and port that a CONNECT asks for. Raises Malformed."""
        if not _HOST_AND_PORT.fullmatch(head.target):
            raise MalformedRequest("CONNECT expects HOST:PORT.")  # RFC 9110 §9.3.6: there is no default port
        if head.has_content:
            raise MalformedRequest("A CONNECT has no content.")  # it would be taken for the tunnel's first octets
        return parse_host_port(head.target, 0)

    def request(self, head: RequestHead) -> Request:
        """Return the request; what Host says does not count (RFC 9112 §3.2.2). Raises Malformed."""
        absolute = _ABSOLUTE.fullmatch(head.target)
        if absolute is None:
            raise MalformedRequest("This is a proxy: it expects a whole URL in the request line, http://host/path.")
        scheme, named, rest = absolute.groups()
        scheme = scheme.lower()
        host, port = parse_host_port(named, DEFAULT_PORTS[scheme])
        return _request(head, scheme, host, port, _path(rest, head.method))


@dataclass(frozen=True, slots=True)
class GatewayTargets:
    """A connection to an edge: clients speak to it as to the origin itself."""

    backend: tuple[str, str, int]
    """Scheme, host and port of the origin."""
    prefix: bytes = b""
    scheme: str = "http"
    """What clients use to reach the edge."""

    @property
    def mode(self) -> str:
        """The mode in which mitmproxy handles such a connection."""
        return f"reverse:{self.backend[0]}://{host_port(*self.backend[1:])}"

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Raise Malformed: nobody gets anywhere else through an edge."""
        raise MalformedRequest(f"This server opens no tunnel to {head.target}.", 405)

    def request(self, head: RequestHead) -> Request:
        """Return the request, addressed as the client addressed it. Raises Malformed."""
        absolute = _ABSOLUTE.fullmatch(head.target)
        named = absolute[2] if absolute else head.fields.get("host") or ""
        # HTTP/1.0 need not say a Host
        host, port = parse_host_port(named, DEFAULT_PORTS[self.scheme]) if named else self.backend[1:]
        target = _path(absolute[3], head.method) if absolute else _own_path(head)
        return _request(head, self.scheme, host, port, target)


@dataclass(frozen=True, slots=True)
class TunnelTargets:
    """An opened CONNECT tunnel: one origin, and the name that TLS was asked for."""

    host: str
    port: int
    tls_name: str | None
    prefix: bytes

    @property
    def mode(self) -> str:
        """The mode in which mitmproxy handles such a connection."""
        return f"reverse:https://{host_port(self.host, self.port)}"

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Raise Malformed: no tunnel leads out of a tunnel."""
        raise MalformedRequest(f"There is no tunnel to {head.target} inside a tunnel.", 405)

    def request(self, head: RequestHead) -> Request:
        """Return the request; a Host that names another origin stays, for the engine to see. Raises Malformed."""
        absolute = _ABSOLUTE.fullmatch(head.target)
        fields, target = head.fields, _path(absolute[3], head.method) if absolute else _own_path(head)
        if absolute:
            parse_host_port(absolute[2], DEFAULT_PORTS["https"])
            fields = fields.replacing("Host", absolute[2])
        return Request(
            head.method, "https", self.host, self.port, target, fields, head.version, head.has_content, self.tls_name
        )


def tunnel_targets(host: str, port: int, tls_name: str | None) -> TunnelTargets:
    """Return the destination of everything in a tunnel."""
    return TunnelTargets(host, port, tls_name, f"{host}:{port} {tls_name or ''}\n".encode("latin-1", "replace"))


@lru_cache(maxsize=512)
def parse_host_port(text: str, default_port: int) -> tuple[str, int]:
    """Return host (without brackets) and port. Raises Malformed unless `text` is `host` or `host:port`."""
    if "@" in text:
        raise MalformedRequest("The target URI has user information.")  # RFC 9110 §4.2.4
    match = _AUTHORITY.fullmatch(text)
    if match is None or not 0 < int(match[2] or default_port) <= 65_535:
        raise MalformedRequest("The request names no host that could be asked.")
    return match[1].strip("[]"), int(match[2] or default_port)


def host_port(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _request(head: RequestHead, scheme: str, host: str, port: int, target: str) -> Request:
    fields = _without_host(head.fields)
    return Request(head.method, scheme, host, port, target, fields, head.version, head.has_content)


@lru_cache(maxsize=512)
def _without_host(fields: Fields) -> Fields:
    return fields.without(["host"])


def _path(rest: str, method: str) -> str:
    """Return the origin form of what follows an authority (RFC 9112 §3.2.1, §3.2.4)."""
    if not rest and method == "OPTIONS":
        return "*"
    return rest if rest.startswith("/") else f"/{rest}"


def _own_path(head: RequestHead) -> str:
    if not head.target.startswith("/") and (head.method, head.target) != ("OPTIONS", "*"):
        raise MalformedRequest("The request target does not begin with a slash.")
    return head.target
