"""The route to an origin: direct, or through an upstream proxy from the settings or the environment."""

from __future__ import annotations

import logging
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import unquote, urlsplit

from cache.http.messages import DEFAULT_PORTS, Request, host_port

NEVER = "none"

_PORT = re.compile(r":([0-9]+)\Z")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """A proxy that is used over HTTP/1.1 without TLS."""

    host: str
    port: int
    authorization: str = ""
    """The value of Proxy-Authorization; empty if the URL carries no userinfo."""

    @classmethod
    def from_url(cls, url: str) -> UpstreamProxy:
        """Return the proxy of a URL `http://[user[:password]@]host[:port]`; the scheme may be left out.

        Raises:
            ValueError: the URL has another form.
        """
        expected = f"upstream proxy {_without_userinfo(url)!r}: expected http://host:port"
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            host, port = parts.hostname, parts.port or DEFAULT_PORTS["http"]
        except ValueError as error:
            raise ValueError(expected) from error
        if parts.scheme != "http" or not host or parts.path not in {"", "/"}:
            raise ValueError(expected)
        if parts.username is None:
            return cls(host, port)
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(host, port, f"Basic {b64encode(credentials.encode()).decode()}")  # RFC 7617 §2


@dataclass(frozen=True, slots=True)
class Route:
    """An origin, and the upstream proxy to it if there is one."""

    scheme: str
    host: str
    port: int
    proxy: UpstreamProxy | None = None
    socket: str = ""
    """The path of the origin's Unix socket, in place of host and port."""
    prefix: str = ""
    """The text in front of the target of each request."""
    host_header: str = ""
    """The Host of each request, in place of the one of the request."""
    tls_name: str = ""
    """The name for the TLS handshake, in place of the host."""

    def applied(self, request: Request) -> Request:
        """Return a request as it is sent on this route: with the route's prefix and Host."""
        if not (self.prefix or self.host_header):
            return request
        target = request.target if request.target == "*" else f"{self.prefix}{request.target}"
        if not self.host_header:
            return replace(request, target=target)
        port = _PORT.search(self.host_header)
        host = self.host_header[: port.start()] if port else self.host_header
        number = int(port[1]) if port else DEFAULT_PORTS[request.scheme]
        fields = request.fields.without(["host"])
        client = request.client and request.client.asking_for(request.authority, request.port)
        return replace(request, target=target, host=host.strip("[]"), port=number, fields=fields, client=client)

    @property
    def authority(self) -> str:
        """Return `host:port`, an IPv6 address in brackets; for a Unix socket, its name in messages."""
        if self.socket:
            return f"unix:{self.socket}"
        return host_port(self.host, self.port)

    @property
    def first_hop(self) -> tuple[str, int]:
        """Return the host and port to connect to."""
        return (self.proxy.host, self.proxy.port) if self.proxy else (self.host, self.port)

    @property
    def where(self) -> str:
        """Return the name of the first hop, for messages that do not begin with it."""
        return f"the upstream proxy {host_port(*self.first_hop)}" if self.proxy else self.authority

    @property
    def subject(self) -> str:
        """Return the name of the first hop, for messages that begin with it."""
        return f"The upstream proxy {host_port(*self.first_hop)}" if self.proxy else self.authority


class UpstreamProxies:
    """The upstream proxies that the setting `OriginOptions.proxy` selects. The environment is read once."""

    def __init__(self, setting: str, own_addresses: frozenset[str] = frozenset()) -> None:
        """Read the setting and the environment.

        Args:
            setting: As in `OriginOptions.proxy`.
            own_addresses: `host:port` of this proxy itself. The environment names it if a shell that uses this proxy
                also starts it.

        Raises:
            ValueError: a proxy's URL is invalid.
        """
        environment = _proxies_in_environment()
        if setting == NEVER:
            urls = {}
        elif setting:
            urls = dict.fromkeys(DEFAULT_PORTS, setting)
        else:
            urls = {scheme: environment[scheme] for scheme in DEFAULT_PORTS if scheme in environment}
        proxies = {scheme: UpstreamProxy.from_url(url) for scheme, url in urls.items()}
        self._proxies = proxies if setting else _without_own(proxies, own_addresses)
        self._bypass = {"no": environment["no"]} if "no" in environment else {}

    def route(self, scheme: str, host: str, port: int) -> Route:
        """Return the route to an origin. It is direct for the hosts, domains and host:port pairs in NO_PROXY."""
        proxy = self._proxies.get(scheme)
        if proxy and self._is_bypassed(host, port):
            proxy = None
        return Route(scheme, host, port, proxy)

    def _is_bypassed(self, host: str, port: int) -> bool:
        # typeshed has only proxy_bypass, which on macOS asks the system in place of `self._bypass`
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

        return any(proxy_bypass_environment(name, self._bypass) for name in (host, host_port(host, port)))


def _proxies_in_environment() -> dict[str, str]:
    """Return the proxies that the environment names by scheme, and the value of NO_PROXY as `no`."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies_environment  # slow to import, and seldom needed

    return getproxies_environment()


def _without_own(proxies: Mapping[str, UpstreamProxy], own_addresses: frozenset[str]) -> dict[str, UpstreamProxy]:
    """Return the environment's proxies without this proxy itself: a request to itself would be a loop."""
    others = {scheme: proxy for scheme, proxy in proxies.items() if f"{proxy.host}:{proxy.port}" not in own_addresses}
    if ignored := [f"{scheme.upper()}_PROXY" for scheme in proxies if scheme not in others]:
        warn_once(" and ".join(ignored))
    return others


@cache
def warn_once(variables: str) -> None:
    """Log once which variables of the environment are ignored."""
    logger.warning("the environment's %s would lead back to this proxy: origins are asked directly", variables)


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]
