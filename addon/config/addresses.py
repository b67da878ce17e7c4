"""Where requests may go: the targets that settings name, and the addresses that are this proxy's own."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from cache.policy.rules import Targets, glob

REFUSED = (
    *("localhost", "*.localhost", "127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"),
    *("169.254.0.0/16", "fe80::/10"),  # link-local, and where clouds tell a machine its secrets
    *("metadata.google.internal", "100.100.100.200/32", "fd00:ec2::254/128"),
)
"""What a proxy that others can reach does not go to for them."""

ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to know it when it is asked for
"""Addresses to listen on that mean all of this machine's, and to connect to that mean itself."""


def targets(named: Iterable[str]) -> Targets:
    """Return networks, addresses and patterns of host names as the cache takes them."""
    networks, hosts = [], []
    for name in named:
        try:
            networks.append(ip_network(name, strict=False))
        except ValueError:
            hosts.append(glob(name))
    return Targets(tuple(networks), tuple(hosts))


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def own_authorities(host: str, port: int) -> frozenset[str]:
    """Return every `host:port` that leads to a listener of this machine, as far as it is known here."""
    names = {host.lower()}
    everywhere = host in ANYWHERE
    if everywhere or is_loopback(host):
        names |= {"localhost", "127.0.0.1", "::1", *ANYWHERE}
    if everywhere:
        names |= {socket.gethostname().lower(), *_addresses_of(socket.gethostname())}
    return frozenset(f"{name}:{port}" for name in names)


def _addresses_of(name: str) -> set[str]:
    try:
        return {str(address[0]) for *_, address in socket.getaddrinfo(name, None)}
    except OSError:
        return set()  # a machine need not know its own name
