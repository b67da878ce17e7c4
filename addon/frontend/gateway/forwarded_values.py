"""Parsers for the values of forwarded fields. Whatever is not well-formed is dropped, or `unknown`.

A trusted proxy may pass on what its own client has sent. So nothing is passed on but addresses, hosts, ports and paths:
no text of a client's choice reaches a page that is stored for others.
"""

from __future__ import annotations

import re

from addon.config.trusted_proxies import normal_address
from cache.http.fields import HOST, members, unquoted
from cache.http.messages import host_in_uri
from cache.rules.forwarded_fields import quoted

UNKNOWN = "unknown"
"""A node whose address is not told (RFC 7239 §6.2)."""

_AUTHORITY = re.compile(rf"{HOST}(?::[0-9]{{1,5}})?")
_PORT = re.compile(r"[0-9]{1,5}")
_PREFIX = re.compile(r"/[0-9A-Za-z\-._~/]*")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_NODE = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?")
_PARAMETER = re.compile(r'\s*([A-Za-z]+)=([^\s";,]+|"(?:[^"\\]|\\.)*")\s*')
_OBFUSCATED = re.compile(r"_[0-9A-Za-z._-]+")


def scheme_in(value: str) -> str:
    """Return the scheme that X-Forwarded-Proto names first, `http` or `https`; else an empty string."""
    return _SCHEMES.get(value.partition(",")[0].strip().lower(), "")


def host_in(value: str) -> str:
    """Return the authority that X-Forwarded-Host names first; else an empty string."""
    first = value.partition(",")[0].strip()
    return first if _AUTHORITY.fullmatch(first) else ""


def port_in(value: str) -> str:
    """Return the port that X-Forwarded-Port names first; else an empty string."""
    first = value.partition(",")[0].strip()
    return first if _PORT.fullmatch(first) and 0 < int(first) <= 65_535 else ""


def prefix_in(value: str) -> str:
    """Return the path that X-Forwarded-Prefix names; else an empty string."""
    return value if _PREFIX.fullmatch(value) else ""


def address_in(node: str) -> str:
    """Return the address of a node, which may have brackets and a port; else an empty string."""
    match = _NODE.fullmatch(node)
    return normal_address((match["v4"] or match["v6"]) if match else node)


def addresses_in(value: str) -> list[str]:
    """Return the addresses in X-Forwarded-For in order, with `unknown` for each that is not told or malformed."""
    return [address_in(node) or UNKNOWN for node in map(str.strip, value.split(",")) if node]


def node_of(address: str) -> str:
    """Return the node that an address is in Forwarded (RFC 7239 §6)."""
    return quoted(host_in_uri(address))


def elements_in(value: str) -> list[dict[str, str]]:
    """Return the parameters of each element of Forwarded by lower-case name; `for=unknown` for a malformed one."""
    # a malformed element keeps its place: it is where what the client wrote itself may begin
    return [{"for": UNKNOWN} if (parameters := _parameters(each)) is None else parameters for each in members(value)]


def address_of(element: dict[str, str]) -> str:
    """Return the address that an element of Forwarded is about, or `unknown`."""
    return address_in(element.get("for", "")) or UNKNOWN


def _parameters(element: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    place = 0
    while match := _PARAMETER.match(element, place):
        name, value = match[1].lower(), match[2]
        found[name] = (unquoted(value) or "") if value.startswith('"') else value
        place = match.end()
        if place == len(element):
            break
        if element[place] != ";":
            return None
        place += 1
    well_formed = place == len(element) and all(_is_valid(*each) for each in found.items())
    return found if well_formed else None


def _is_valid(name: str, value: str) -> bool:
    """Return whether a parameter is one of RFC 7239 §5 with a value that it may have."""
    match name:
        case "for" | "by":
            return value.lower() == UNKNOWN or bool(address_in(value)) or bool(_OBFUSCATED.fullmatch(value))
        case "host":
            return bool(_AUTHORITY.fullmatch(value))
        case "proto":
            return value.lower() in _SCHEMES
        case _:
            return False


def element_text(parameters: dict[str, str]) -> str:
    """Return an element of Forwarded."""
    return ";".join(f"{name}={quoted(value)}" for name, value in parameters.items())
