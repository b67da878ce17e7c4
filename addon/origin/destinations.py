"""The socket addresses of a host: the order in which they are tried, and which of them are refused to clients."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any

from addon.origin.errors import FailureKind, OriginFailure
from cache.policy.operator_rules import TargetRules
from cache.rules.forward_targets import addresses_in, is_listed, is_prohibited, names_this_machine

type Address = tuple[socket.AddressFamily, Any]  # the second element is what `socket.connect` takes for the family

_FOREIGN_IPV4, _FOREIGN_IPV6 = "240.0.0.1", "100::1"
"""Addresses that no machine has (RFC 1112 §4, RFC 6666)."""


def destinations(addresses: Iterable[str], port: int) -> list[Address]:
    """Return socket addresses for the addresses of a host, in the order in which they should be tried.

    The families alternate (RFC 8305 §4). Those to which this machine has no route come last (RFC 6724 §6, rule 1).
    """
    families: dict[socket.AddressFamily, list[Address]] = {}
    unroutable: list[Address] = []
    for text in addresses:
        destination = _socket_address(text, port)
        if source_address(destination) is None:
            unroutable.append(destination)
        else:
            families.setdefault(destination[0], []).append(destination)
    alternating = chain.from_iterable(zip_longest(*families.values()))
    return [destination for destination in alternating if destination is not None] + unroutable


def refuse_prohibited(host: str, addresses: Iterable[str], reach: TargetRules) -> None:
    """Raise OriginFailure if clients may not reach one of the addresses to which a host's name resolves.

    A host that is allowed by its name may have any address.
    """
    if is_listed(host, reach.allowed):
        return
    for address in addresses:
        if is_prohibited(address, reach):
            what = "a refused target of this proxy"
        elif is_own(address) and not is_listed(address, reach.allowed):
            what = "an address of this proxy's own machine, and so a refused target"
        else:
            continue
        subject = host if host == address else f"{host} resolves to {address}, which"
        raise OriginFailure(FailureKind.DESTINATION_IP_PROHIBITED, f"{subject} is {what}")


def refuse_this_machine(host: str, addresses: Iterable[str]) -> None:
    """Raise OriginFailure if one of the addresses to which a host's name resolves is one of this machine."""
    if any(names_this_machine(address) or is_own(address) for address in addresses):
        sentence = (
            f"{host} is this machine, and at this port it has an interface that clients of the proxy may not reach"
        )
        raise OriginFailure(FailureKind.DESTINATION_IP_PROHIBITED, sentence)


def is_own(address: str) -> bool:
    """Return whether an address, or an IPv4 address within it, is at present one of this machine, except loopback."""
    return any(map(_is_own, (address, *map(str, addresses_in(address)[1:]))))


def _is_own(address: str) -> bool:
    """Try it: a program can listen on its machine's own addresses only, whenever they appeared.

    Some systems are set to let it listen on any address. There, a connection to oneself comes from the same address.
    """
    loopback = ip_address(address.partition("%")[0]).is_loopback
    if loopback or not can_listen(address):
        return False
    if not can_listen(_FOREIGN_IPV6 if ":" in address else _FOREIGN_IPV4):
        return True
    source = source_address(_socket_address(address, 9))  # any port
    return source is not None and ip_address(source) == ip_address(address)


def can_listen(address: str) -> bool:
    """Return whether a program of this machine could listen on an address."""
    family, where = _socket_address(address, 0)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(where)
    except OSError as error:
        return error.errno == errno.EADDRINUSE  # all its ports are in use, and no other error says that it is its own
    return True


def _socket_address(address: str, port: int) -> Address:
    family, _, _, _, found = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    )[0]
    return family, found


def source_address(destination: Address) -> str | None:
    """Return the address from which this machine connects to a destination; None if there is no route to it."""
    family, address = destination
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)  # UDP: this sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return None
