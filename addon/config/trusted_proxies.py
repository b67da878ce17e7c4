"""Trusted proxies: the peers whose word about a client counts, and which fields an edge sends about clients."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pydantic import ValidationInfo

from cache.http.client import Client

X_FIELDS, FORWARDED = "x-forwarded", "forwarded"


def trusted_proxy(value: str) -> str:
    """Return an address or a network. Raises ValueError, whose text names the expected value."""
    try:
        ip_network(value)
    except ValueError:
        raise ValueError('addresses and networks, like "127.0.0.1", "10.0.0.0/8" or "::1"') from None
    return value


def with_proxies(value: bool, info: ValidationInfo) -> bool:
    """Return whether PROXY headers are expected. Raises ValueError if no proxy is trusted: none could connect."""
    if value and not info.data.get("trusted_proxies"):
        raise ValueError("false, or the addresses of the proxies in trusted_proxies")
    return value


class TrustedProxies:
    """The peers that are trusted."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take addresses and networks. Raises ValueError for anything else."""
        self._networks = tuple(map(ip_network, sorted(frozenset(names))))

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._networks)

    def __contains__(self, address: object) -> bool:
        """Return whether a peer is trusted. One whose address is not known is not."""
        found = _known_address(address) if isinstance(address, str) else None
        return found is not None and _is_in(found, self._networks)


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address without its zone, and as IPv4 if it is mapped; None for any other text."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def normal_address(text: str) -> str:
    """Return an address in its normal form, as `parsed_address` does; an empty string for any other text."""
    try:
        socket.inet_pton(socket.AF_INET, text)  # much faster than the other way, and the usual case
    except (OSError, ValueError):
        address = parsed_address(text)
        return str(address) if address else ""
    return text


_known_address = lru_cache(maxsize=4096)(parsed_address)


@lru_cache(maxsize=4096)
def _is_in(address: IPv4Address | IPv6Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)


def nobody(sets: Iterable[str]) -> Client:
    """Return the client of requests that an edge makes itself, which sends these sets of fields."""
    return Client(sends_x_fields=X_FIELDS in sets, sends_forwarded=FORWARDED in sets)
