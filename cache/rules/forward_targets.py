"""Targets that requests are not forwarded to: this proxy itself, and those prohibited to clients (RFC 9110 §17.2)."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from cache.http.fields import tokens
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import TargetRules, Targets
from cache.policy.reasons import Refused


def pseudonym(policy: CachePolicy) -> str:
    """Return the pseudonym of this instance, its name in the Via field of forwarded requests (RFC 9110 §7.6.3)."""
    return f"{policy.identity.name}-{policy.identity.instance}" if policy.identity.instance else policy.identity.name


def is_loop(request: Request, policy: CachePolicy) -> bool:
    """Return whether this instance forwarded the request before, or would send it to itself (RFC 9110 §7.6.3)."""
    host = request.host.lower().removesuffix(".")
    if f"{host}:{request.port}" in policy.identity.own_authorities:
        return True
    if "via" not in request.fields:
        return False
    name = pseudonym(policy).lower()
    return any(member.split()[1:2] == [name] for member in tokens(request.fields.get("via")))


def reason_to_prohibit(request: Request, policy: CachePolicy) -> Refused | None:
    """Return why clients may not send a request to its target through this proxy, or None (ledger SEC-15)."""
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
    """Return whether a host, given by name or address, is one of `targets`."""
    name = host.lower().removesuffix(".")
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return any(pattern.fullmatch(name) for pattern in targets.hosts)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # the same host: a connection to it is an IPv4 connection
    return any(address in network for network in targets.networks)
