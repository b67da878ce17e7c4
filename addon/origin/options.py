"""The settings of the origin client. Times are in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

from cache.policy.operator_rules import TargetRules


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """Timeouts, size limits, trusted CAs, address rules and the upstream proxy."""

    resolve_timeout: float = 10.0
    """For the resolution of a host name."""
    connect_timeout: float = 3.5
    """For connecting, an upstream proxy's CONNECT and the TLS handshake together."""
    first_byte_timeout: float = 60.0
    """From the request to the first byte of the response; also the longest wait for a free connection."""
    between_bytes_timeout: float = 60.0
    """The longest silence within a response. It does not count while our reader is slower than the origin."""
    idle_timeout: float = 55.0
    """Time that an unused connection is kept open."""
    max_connections: int = 64
    """Connections to one origin (scheme, host and port), idle ones included."""
    max_head: int = 65_536
    """The largest header section (interim responses included), and the largest trailer section."""
    max_line: int = 16_384
    """The longest field line."""
    max_fields: int = 200
    """The most field lines in a header section or in a trailer section."""
    max_interim: int = 256
    """The most interim responses before the final one."""
    ca_files: tuple[str, ...] = ()
    """PEM files of CAs that are trusted in addition to the system's."""
    client_certificate: str = ""
    """PEM file of a certificate and its key, sent to origins that request a client certificate."""
    reach: TargetRules | None = None
    """Targets that are refused to clients. None in edge mode, and if only this machine can reach the proxy."""
    backend: tuple[str, str, int] | None = None
    """Scheme, host and port of the only origin in edge mode: every request goes to it, whatever its URL."""
    proxy: str = ""
    """The upstream proxy's URL. Empty: take it from HTTP_PROXY and HTTPS_PROXY. "none": use no upstream proxy.

    NO_PROXY is always respected.
    """
    own_addresses: frozenset[str] = frozenset()
    """`host:port` of this proxy itself. An upstream proxy from the environment at such an address is ignored."""
