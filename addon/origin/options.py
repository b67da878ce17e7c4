"""The settings of the origin client. Times are in seconds, sizes in bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from addon.origin.backends.options import SiteOptions
from cache.policy.operator_rules import TargetRules


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """Timeouts, size limits, trusted CAs, address rules and the upstream proxy."""

    resolve_timeout: float = 10.0
    """For the resolution of a host name."""
    connect_timeout: float = 3.5
    """For connecting, an upstream proxy's CONNECT and the TLS handshake together."""
    first_byte_timeout: float = 60.0
    """From the request, or from an interim response, to the end of the next head; also the longest wait for a free
    connection."""
    between_bytes_timeout: float = 60.0
    """The longest silence within a response. It does not count while our reader is slower than the origin."""
    min_rate: int = 16
    """Bytes a second that a body with a length must have on average over each `between_bytes_timeout`. 0: no limit."""
    stream_timeout: float = 3600.0
    """The longest silence within a stream, and the longest wait for a head that its request lets be held back."""
    idle_timeout: float = 55.0
    """Time that an unused connection is kept open."""
    max_connections: int = 64
    """Connections to one origin (scheme, host and port), idle ones included, and responses without an end not.

    A connection over HTTP/2 carries many requests at a time.
    """
    http2: bool = True
    """Use HTTP/2 with https origins that offer it, and for gRPC."""
    max_head: int = 65_536
    """The largest header section (interim responses included), and the largest trailer section."""
    max_line: int = 32_768
    """The longest field line."""
    max_fields: int = 200
    """The most field lines in a header section or in a trailer section."""
    max_interim: int = 256
    """The most interim responses before the final one."""
    lenient: tuple[re.Pattern[str], ...] = ()
    """Hosts whose responses are read leniently (see response_head.py)."""
    reads_leniently: bool = False
    """The options are those of a host in `lenient`."""
    ca_files: tuple[str, ...] = ()
    """PEM files of CAs that are trusted in addition to the system's."""
    client_certificate: str = ""
    """PEM file of a certificate and its key, sent to origins that request a client certificate."""
    reach: TargetRules | None = None
    """Targets that are refused to clients. None in edge mode, and if only this machine can reach the proxy."""
    admin_port: int | None = None
    """The port of the admin API on this machine, to which no connection is opened."""
    sites: tuple[SiteOptions, ...] = ()
    """The sites of an edge: a request for one of their hosts goes to an origin of the site, whatever its URL."""
    proxy: str = ""
    """The upstream proxy's URL. Empty: take it from HTTP_PROXY and HTTPS_PROXY. "none": use no upstream proxy.

    NO_PROXY is always respected.
    """
    own_addresses: frozenset[str] = frozenset()
    """`host:port` of this proxy itself. An upstream proxy from the environment at such an address is ignored."""

    def of_host(self, host: str) -> OriginOptions:
        """Return the options for connections to one host."""
        return replace(self, reads_leniently=any(pattern.fullmatch(host) for pattern in self.lenient))
