"""What the operator decides about asking origins. Frozen; times are seconds, sizes octets."""

from __future__ import annotations

from dataclasses import dataclass

from cache.policy.rules import Reach


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """How long to wait, how much to take, whom to trust, which way to go."""

    connect_timeout: float = 3.5
    """For name resolution, connecting, an upstream proxy's CONNECT and the TLS handshake together."""
    first_byte_timeout: float = 60.0
    """From the request to the first octet; also the longest wait for a free connection."""
    between_bytes_timeout: float = 60.0
    """The longest silence within a response; a reader who is behind does not run it."""
    idle_timeout: float = 55.0
    """How long an unused connection is kept."""
    max_connections: int = 64
    """Connections to one origin (scheme, host and port), idle ones included."""
    max_head: int = 65_536
    """A header section, interim responses included; a trailer section."""
    max_line: int = 16_384
    """One field line."""
    max_fields: int = 200
    """Field lines in one header section, or in a trailer section."""
    max_interim: int = 256
    """Interim responses before the final one."""
    ca_files: tuple[str, ...] = ()
    """PEM files of certificate authorities trusted beside the system's."""
    client_certificate: str = ""
    """PEM file of a certificate and its key, shown to origins that ask for one."""
    reach: Reach | None = None
    """What is refused to strangers, whatever its name; None where nobody but this machine asks."""
    backend: tuple[str, str, int] | None = None
    """Scheme, host and port that every request goes to, whatever origin it names: an edge has one behind it."""
    proxy: str = ""
    """The upstream proxy's URL; empty means the environment's (HTTP_PROXY, HTTPS_PROXY), "none" means never.

    NO_PROXY is respected in either case.
    """
    own_addresses: frozenset[str] = frozenset()
    """Where this proxy itself is reached, `host:port`: no upstream proxy, though the environment may name it."""
