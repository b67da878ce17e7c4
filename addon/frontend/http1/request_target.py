"""Request targets (RFC 9112 §3.2): where a request goes, by its target and by the kind of its connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, Self

from addon.frontend.gateway import gates
from addon.frontend.gateway.client_tls import ClientTls
from addon.frontend.gateway.purge_requests import is_purge
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest, RequestHead, SetUpPageRequest
from addon.frontend.set_up_page.page import HOSTS, PATHS, SetUpPage
from cache.http.fields import HOST, is_host
from cache.http.messages import DEFAULT_PORTS, Fields, Request, normalised_authority, normalised_host
from cache.policy.site_rules import SiteRules
from cache.rules.site_requests import changed_request

_ABSOLUTE_FORM = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY_FORM = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]+):[0-9]{1,5}")
_HOST_PORT = re.compile(rf"({HOST})(?::([0-9]{{0,5}}))?")


class RequestTargets(Protocol):
    """Reads the targets of the requests on one kind of connection."""

    @property
    def prefix(self) -> bytes:
        """Bytes that tell equal request heads apart which go to different origins: part of the hot cache's keys."""

    def request(self, head: RequestHead) -> Request:
        """Return the request with its target parsed. Raises MalformedRequest."""

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Return host and port that a CONNECT names. Raises MalformedRequest."""


@dataclass(frozen=True, slots=True)
class ForwardProxyTargets:
    """The plain connection of a forward proxy: each target names its origin (absolute form)."""

    page: SetUpPage | None = None
    """Answers requests that name this proxy itself."""
    prefix: bytes = b"\n"
    """Never the beginning of a tunnel's prefix, so a head sent here is never taken for one sent inside a tunnel."""

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Return host and port that a CONNECT names. Raises MalformedRequest."""
        if not _AUTHORITY_FORM.fullmatch(head.target):
            raise MalformedRequest("CONNECT expects HOST:PORT.")  # RFC 9110 §9.3.6: there is no default port
        if head.has_content:
            raise MalformedRequest("A CONNECT has no content.")  # it would be taken for the first bytes in the tunnel
        return parse_host_port(head.target, 0)

    def request(self, head: RequestHead) -> Request:
        """Return the request; its Host field does not count (RFC 9112 §3.2.2). Raises MalformedRequest."""
        absolute = _ABSOLUTE_FORM.fullmatch(head.target)
        if absolute is None:
            if self.page is not None and head.target in PATHS and self.page.is_own(head.fields):
                raise SetUpPageRequest(self.page, head, head.target, head.fields.get("host"))
            raise MalformedRequest("This is a proxy: it expects a whole URL in the request line, http://host/path.")
        scheme, authority, rest = absolute.groups()
        scheme = scheme.lower()
        host, port = parse_host_port(authority, DEFAULT_PORTS[scheme])
        path = _path(rest, head.method)
        if self.page is not None and host in HOSTS:
            raise SetUpPageRequest(self.page, head, path)
        return _request(head, scheme, host, port, path)


@dataclass(frozen=True, slots=True)
class GatewayTargets:
    """A connection to an edge: clients speak to it as to the origin itself."""

    sites: Sites
    prefix: bytes = b"\n"
    """No head begins with it, so none is taken for one on another kind of connection, or from a trusted proxy."""
    scheme: str = "http"
    """The scheme by which clients reach the edge, unless a trusted proxy names another one."""
    tls: ClientTls | None = None
    """The TLS of the client."""

    @classmethod
    def inside(cls, tls: ClientTls, sites: Sites) -> Self:
        """Return the targets on a connection whose client uses TLS."""
        # what may be asked for depends on the site that the certificate is for
        site = None if tls.server_name is None else sites.find(tls.server_name)
        return cls(sites, f"https {site.hosts[0] if site else ''}\n".encode(), "https", tls)

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Raise MalformedRequest: an edge leads nowhere else."""
        raise MalformedRequest(f"This server opens no tunnel to {head.target}.", 405)

    def request(self, head: RequestHead) -> Request:
        """Return the request as the client addressed it, and as the rules of its site change it.

        Raises MalformedRequest, or RefusedRequest if no site answers it, or a rule refuses it.
        """
        absolute = _ABSOLUTE_FORM.fullmatch(head.target)
        # HTTP/1.0 need not send Host
        authority = absolute[2] if absolute else head.fields.get("host") or self.sites.default_authority
        if not authority:
            raise MalformedRequest("The request names no host.")
        scheme = head.client.scheme if head.client and head.client.scheme else self.scheme
        default_port = DEFAULT_PORTS[scheme]
        host, port = parse_host_port(authority, default_port)
        target = _path(absolute[3], head.method) if absolute else _origin_form(head)
        site = self.sites.find(host)
        if site is not None:
            port = self.sites.port_in_key(site, port, default_port)
        request = _request(head, scheme, host, port, target)
        if is_purge(head.method, target, head.fields.names()):
            raise RefusedRequest(gates.purge_request(), request, head)
        if site is None:
            raise RefusedRequest(gates.unknown_host(host), request, head)
        if self.tls is not None and not self.sites.admits(self.tls, site, host):
            raise RefusedRequest(gates.other_certificate(host), request, head)
        if scheme == "http" and (url := self.sites.https_url(site, request)):
            raise RefusedRequest(gates.redirect_to(url), request, head)
        rules = self.sites.rules_of(host)
        return request if rules is None else self._by_rules(rules, request, head)

    def _by_rules(self, rules: SiteRules, request: Request, head: RequestHead) -> Request:
        """Return a request as rules change it. Raises RefusedRequest."""
        readings = rules.all_effects(request.target)
        address = head.client.address if head.client else ""
        refusal = self.sites.gates.refusal(request, readings, head.length, address)
        if refusal is not None:
            raise RefusedRequest(refusal, request, head)
        if any(each.basic_auth and each.basic_auth.users_file for each in readings):  # the password is for this edge
            request = request.with_fields(request.fields.without(["authorization"]))
        return changed_request(request, readings[0])


@dataclass(frozen=True, slots=True)
class TunnelTargets:
    """A connection inside a tunnel, in clear or inside intercepted TLS: all requests go to one origin."""

    scheme: str
    """`http` in clear, `https` inside TLS."""
    host: str
    port: int
    tls_name: str | None
    """The server name that the client asked for in TLS."""
    prefix: bytes
    page: SetUpPage | None = None
    """Answers all requests, if the tunnel is to one of its hosts."""

    @classmethod
    def of(cls, scheme: str, host: str, port: int, tls_name: str | None, page: SetUpPage | None = None) -> Self:
        """Return the targets in a tunnel to that host. `page` answers for its hosts."""
        prefix = f"{scheme}://{host}:{port} {tls_name or ''}\n"
        page = page if host in HOSTS else None
        return cls(scheme, host, port, tls_name, prefix=prefix.encode("latin-1", "replace"), page=page)

    def tunnel_to(self, head: RequestHead) -> tuple[str, int]:
        """Raise MalformedRequest: a tunnel cannot be opened inside a tunnel."""
        raise MalformedRequest(f"There is no tunnel to {head.target} inside a tunnel.", 405)

    def request(self, head: RequestHead) -> Request:
        """Return the request; a Host for another origin is kept, and judged by the engine. Raises MalformedRequest."""
        absolute = _ABSOLUTE_FORM.fullmatch(head.target)
        fields, target = head.fields, _path(absolute[3], head.method) if absolute else _origin_form(head)
        if absolute:
            parse_host_port(absolute[2], DEFAULT_PORTS[self.scheme])
        named = absolute[2] if absolute else fields.get("host")
        # one spelling: an origin's response may show it, and is stored for all of them
        if named is not None and (spelled := normalised_authority(named, self.scheme)) != fields.get("host"):
            fields = fields.replacing("Host", spelled)
        if self.page is not None:
            raise SetUpPageRequest(self.page, head, target)
        return Request(
            method=head.method,
            scheme=self.scheme,
            host=self.host,
            port=self.port,
            target=target,
            fields=fields,
            version=head.version,
            has_content=head.has_content,
            tls_name=self.tls_name,
        )


@lru_cache(maxsize=512)
def parse_host_port(text: str, default_port: int) -> tuple[str, int]:
    """Return host (without brackets) and port. Raises MalformedRequest unless `text` is `host` or `host:port`."""
    if "@" in text:
        raise MalformedRequest("The target URI has user information.")  # RFC 9110 §4.2.4
    match = _HOST_PORT.fullmatch(text)
    if match is None or not is_host(match[1]) or not 0 < int(match[2] or default_port) <= 65_535:
        raise MalformedRequest("The request names no host that could be asked.")
    return normalised_host(match[1].strip("[]")), int(match[2] or default_port)


def _request(head: RequestHead, scheme: str, host: str, port: int, target: str) -> Request:
    return Request(
        method=head.method,
        scheme=scheme,
        host=host,
        port=port,
        target=target,
        fields=_without_host(head.fields),
        version=head.version,
        has_content=head.has_content,
        client=head.client,
    )


@lru_cache(maxsize=512)
def _without_host(fields: Fields) -> Fields:
    return fields.without(["host"])


def _path(rest: str, method: str) -> str:
    """Return the origin form of what follows an authority (RFC 9112 §3.2.1, §3.2.4)."""
    if not rest and method == "OPTIONS":
        return "*"
    return rest if rest.startswith("/") else f"/{rest}"


def _origin_form(head: RequestHead) -> str:
    if not head.target.startswith("/") and (head.method, head.target) != ("OPTIONS", "*"):
        raise MalformedRequest("The request target does not begin with a slash.")
    return head.target
