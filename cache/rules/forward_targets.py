"""Targets that requests are not forwarded to: this proxy itself, and those prohibited to clients (RFC 9110 §17.2)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from cache.http.fields import tokens
from cache.http.messages import Request, normalised_host
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import TargetRules, Targets
from cache.policy.reasons import Refused

_NUMBER = re.compile(r"0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*", re.IGNORECASE)

_IPV4_AT_END = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""IPv4-compatible, -mapped and -translated addresses, and NAT64 (RFC 4291 §2.5.5, RFC 7915 §A, RFC 6052 §2.1)."""

_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
"""RFC 8215. Each network decides where in the address the IPv4 address is."""


def pseudonym(policy: CachePolicy) -> str:
    """Return the pseudonym of this instance, its name in the Via field of forwarded requests (RFC 9110 §7.6.3)."""
    return f"{policy.identity.name}-{policy.identity.instance}" if policy.identity.instance else policy.identity.name


def is_loop(request: Request, policy: CachePolicy) -> bool:
    """Return whether this instance forwarded the request before, or would send it to itself (RFC 9110 §7.6.3, 8586)."""
    if f"{request.host}:{request.port}" in policy.identity.own_authorities:
        return True
    if "via" not in request.fields and "cdn-loop" not in request.fields:
        return False
    name = pseudonym(policy).lower()
    if any(member.split()[1:2] == [name] for member in tokens(request.fields.get("via"))):
        return True
    # RFC 8586 §2: parameters may follow the name
    return any(member.partition(";")[0].strip() == name for member in tokens(request.fields.get("cdn-loop")))


def reason_to_prohibit(request: Request, policy: CachePolicy) -> Refused | None:
    """Return why clients may not send a request to its target through this proxy, or None (ledger SEC-15)."""
    if request.port == policy.requests.admin_port and names_this_machine(request.host):
        return Refused.TARGET
    reach = policy.requests.reach
    if reach is None:
        return None
    if is_prohibited(request.host, reach):
        return Refused.TARGET
    return Refused.CONNECT_PORT if request.method == "CONNECT" and request.port not in reach.connect_ports else None


def is_prohibited(host: str, reach: TargetRules) -> bool:
    """Return whether a host, given by name or address, is refused to clients."""
    return is_listed(host, reach.refused) and not is_listed(host, reach.allowed)


def is_listed(host: str, targets: Targets) -> bool:
    """Return whether a host, given by name or address, or an IPv4 address within it, is one of `targets`."""
    name = normalised_host(host)
    if addresses := addresses_in(name):
        return any(address in network for address in addresses for network in targets.networks)
    return any(pattern.fullmatch(name) for pattern in targets.hosts)


def names_this_machine(host: str) -> bool:
    """Return whether a host, given by name or address, is the loopback interface of this machine, however spelled.

    To connect to the unspecified address means this machine, too.
    """
    name = normalised_host(host)
    if addresses := addresses_in(name):
        return any(address.is_loopback or address.is_unspecified for address in addresses)
    return name == "localhost" or name.endswith(".localhost")  # RFC 6761 §6.3


def addresses_in(host: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return the address that a host is, and the IPv4 addresses that routers would make of it; none for a name."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        short = _short_ipv4(host)
        return (short,) if short else ()
    return (address,) if isinstance(address, IPv4Address) else (address, *_embedded(address))


def _short_ipv4(host: str) -> IPv4Address | None:
    """Return the address of a spelling that systems accept, too: `127.1`, `0x7f000001`, `2130706433`."""
    parts = host.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return None
    *first, last = [int(part, 16 if part[:2].lower() == "0x" else 8 if part[0] == "0" else 10) for part in parts]
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return IPv4Address(last + sum(number << (24 - 8 * place) for place, number in enumerate(first)))


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    octets, found = address.packed, list[IPv4Address]()
    if address.sixtofour:  # RFC 3056 §2
        found.append(address.sixtofour)
    if address.teredo:  # RFC 4380 §4: the server and the client
        found += address.teredo
    if any(address in network for network in _IPV4_AT_END) and int(address) > 1:
        found.append(IPv4Address(octets[12:]))
    if address in _LOCAL_NAT64:  # RFC 6052 §2.2: octet 8 is unused, and zeros follow
        places = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))
        place = next(each for each in places if not any(octets[each[-1] + 1 :]))
        found.append(IPv4Address(bytes(octets[index] for index in place)))
    return found
