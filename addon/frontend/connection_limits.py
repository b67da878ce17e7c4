"""Who may come in: so many connections for one client, and none once descriptors run short."""

from __future__ import annotations

import asyncio
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network

PREFIX = 64
"""Bits of an IPv6 address that tell clients apart; the others are each client's own to choose (RFC 4291 §2.5.4)."""


class ConnectionLimits:
    """The connections that clients have, whatever is spoken on them, until they are lost."""

    def __init__(self, per_client: int, descriptors: int) -> None:
        """Begin with nobody.

        Args:
            per_client: Connections that one client may have; 0 for any number.
            descriptors: How many this process may have open. A quarter stays for origins and files.
        """
        self._per_client = per_client
        self._highest = descriptors * 3 // 4
        self._clients: dict[asyncio.BaseTransport, str] = {}
        self._connections: Counter[str] = Counter()

    def admit(self, transport: asyncio.BaseTransport) -> str | None:
        """Let a new connection in, or return why not: a sentence for its client."""
        # the kernel gives the lowest number that is free, so a high one tells how many are taken, for whatever
        if transport.get_extra_info("socket").fileno() >= self._highest:
            return "This proxy has as many connections open as it can."
        client = client_at(address_of(transport)) if self._per_client else None
        if client is None:
            return None
        if self._connections[client] >= self._per_client:
            return f"{client} has {self._per_client} connections to this proxy open, as many as one client may."
        self._clients[transport] = client
        self._connections[client] += 1
        return None

    def release(self, transport: asyncio.BaseTransport) -> None:
        """Take note that a connection is lost."""
        client = self._clients.pop(transport, None)
        if client is not None:
            self._connections[client] -= 1
            if not self._connections[client]:
                del self._connections[client]


def address_of(transport: asyncio.BaseTransport) -> str:
    """Return the address of whoever is at the other end, or `-` where that is not known."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else "-"


def client_at(address: str) -> str | None:
    """Return what connections from an address are counted under; None for this machine, whose own are not."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:  # gone already
        return None
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return None if ip.is_loopback else str(ip_network((ip, PREFIX), strict=False))
        ip = ip.ipv4_mapped
    return None if ip.is_loopback else str(ip)
