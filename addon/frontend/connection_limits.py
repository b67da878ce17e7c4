"""Limits on client connections: so many for each client, and none when file descriptors run short."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container
from ipaddress import IPv6Address, ip_network

from addon.config.trusted_proxies import parsed_address

PREFIX = 64
"""Bits of an IPv6 address that tell clients apart; each client chooses the other bits itself (RFC 4291 §2.5.4)."""


class ConnectionLimits:
    """Counts the open connections of each client, whatever protocol is spoken on them."""

    def __init__(self, per_client: int, descriptors: int) -> None:
        """Start without connections.

        Args:
            per_client: Connections that one client may have; 0 for no limit.
            descriptors: File descriptors that this process may have open. A quarter is kept for origins and files.
        """
        self.per_client = per_client
        """May be changed; it applies to new connections."""
        self._highest_descriptor = descriptors * 3 // 4
        self.trusted: Container[str] = ()
        """Addresses without a limit: proxies, whose connections are those of many clients. May be changed."""
        self._clients: dict[asyncio.BaseTransport, str] = {}
        self._connections: Counter[str] = Counter()

    def admit(self, transport: asyncio.BaseTransport) -> str | None:
        """Count a new connection, or return why it is refused: a sentence for its client."""
        if problem := self.shortage(transport):
            return problem
        address = address_of(transport)
        client = client_at(address) if self.per_client else None
        if client is None or address in self.trusted:
            return None
        if self._connections[client] >= self.per_client:
            return f"{client} has {self.per_client} connections to this proxy open, as many as one client may."
        self._clients[transport] = client
        self._connections[client] += 1
        return None

    def shortage(self, transport: asyncio.BaseTransport) -> str | None:
        """Return why no connection at all can be taken now, or None: a sentence for its client."""
        # the kernel assigns the lowest free number, so a high one tells how many descriptors are in use
        if transport.get_extra_info("socket").fileno() >= self._highest_descriptor:
            return "This proxy has as many connections open as it can."
        return None

    def release(self, transport: asyncio.BaseTransport) -> None:
        """Stop counting a connection that is lost."""
        client = self._clients.pop(transport, None)
        if client is not None:
            self._connections[client] -= 1
            if not self._connections[client]:
                del self._connections[client]


def address_of(transport: asyncio.BaseTransport) -> str:
    """Return the address of a connection's client, or `-` if it is not known."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else "-"


def client_at(address: str) -> str | None:
    """Return the name that an address is counted under; None for this machine, which has no limit."""
    ip = parsed_address(address)
    return None if ip is None or ip.is_loopback else network_of(address)


def network_of(address: str) -> str | None:
    """Return the name that an address is counted under: an IPv4 address or an IPv6 network; None if it is neither."""
    ip = parsed_address(address)
    return str(ip_network((ip, PREFIX), strict=False) if isinstance(ip, IPv6Address) else ip) if ip else None
