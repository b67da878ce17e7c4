"""Addresses: the targets that settings allow or refuse, and this proxy's own."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from cache.policy.operator_rules import Targets, glob

DEFAULT_REFUSED_TARGETS = (
    *("localhost", "*.localhost", "127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"),
    *("169.254.0.0/16", "fe80::/10"),  # link-local, where clouds also serve a machine's secrets
    # addresses of clouds for a machine's secrets: Google, Alibaba, Azure, Oracle, Amazon, Google, Scaleway
    *("metadata.google.internal", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
    *("fd00:ec2::/32", "fd20:ce::254/128", "fd00:42::42/128"),
)
"""Targets that a proxy refuses if it listens on an address that other machines can reach."""

UNSPECIFIED_ADDRESSES = frozenset({"0.0.0.0", "::"})  # noqa: S104 - addresses are compared with these; nothing listens on them
"""The unspecified addresses: to listen there means all addresses of this machine, to connect there means itself."""


def parse_targets(names: Iterable[str]) -> Targets:
    """Return networks, addresses and host name patterns in the form that the cache policy has."""
    networks, hosts = [], []
    for name in names:
        try:
            networks.append(ip_network(name, strict=False))
        except ValueError:
            hosts.append(glob(name))
    return Targets(tuple(networks), tuple(hosts))


def is_loopback(host: str) -> bool:
    """Return whether a listener on `host` can be reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def own_authorities(host: str, port: int) -> frozenset[str]:
    """Return every known `host:port` that leads to a listener of this machine on `host` and `port`."""
    names = {host.lower()}
    on_all_addresses = host in UNSPECIFIED_ADDRESSES
    if on_all_addresses or is_loopback(host):
        names |= {"localhost", "127.0.0.1", "::1", *UNSPECIFIED_ADDRESSES}
    if on_all_addresses:
        from addon.origin.hosts_file import HostsFile  # slow to import, and most commands do not need it

        name = socket.gethostname().lower()
        names |= {name, *HostsFile().addresses(name)}  # a name server might not answer
    return frozenset(f"{name}:{port}" for name in names)
