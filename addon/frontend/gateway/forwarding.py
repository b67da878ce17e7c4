"""Finds out who the client of a request to an edge is, and takes the fields that say so out of the request.

Each client has other values of these fields. Without them, the heads of equal requests are equal again, so a hot
response is found by the bytes of the head, whoever asks. What the origin gets is `cache/rules/forwarded_fields.py`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from addon.config.trusted_proxies import TrustedProxies, normal_address
from addon.frontend.gateway import forwarded_values as values
from cache.http.client import Client
from cache.http.messages import Fields, host_in_uri

NAMES = frozenset(
    "x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-prefix x-real-ip forwarded".split()
)
"""The forwarded fields: what a proxy says about the client and its request."""

_LINE = re.compile(
    rb"\r\n((?:X-(?:Forwarded-(?:For|Proto|Host|Port|Prefix)|Real-IP))|Forwarded):([\t\x20-\x7e\x80-\xff]*)(?=\r\n)",
    re.IGNORECASE,
)

_CLIENT_LINE = re.compile(rb"\r\n[Xx]-(?:[Ff]orwarded-[Ff]or|[Rr]eal-[Ii][Pp]):[\t\x20-\x7e\x80-\xff]*(?=\r\n)")
"""The lines that differ from client to client behind most proxies, in their usual spellings."""

type Lines = tuple[tuple[bytes, bytes], ...]
"""Field lines as received, without their colons."""


class Forwarding:
    """The clients of one listener of an edge."""

    def __init__(self, trusted: TrustedProxies, nobody: Client) -> None:
        """Believe the trusted proxies. `nobody` says which fields origins get."""
        self.trusted = trusted
        self._nobody = nobody
        self._client = lru_cache(maxsize=4096)(self._find_client)

    def from_head(self, head: bytes, peer: str) -> tuple[bytes, Client]:
        """Return a request head over HTTP/1 without forwarded fields, and the client. The head may be malformed.

        `peer` is the address at the other end of the connection.
        """
        text, *rest = _LINE.split(head)
        if not rest:
            return head, self._client(peer, ())
        # splitting gives the text before each line, its name and its value in turn
        kept = text + b"".join(rest[2::3])
        if peer not in self.trusted:
            return kept, self._client(peer, ())
        return kept, self._client(peer, tuple(zip(rest[0::3], rest[1::3], strict=True)))

    def from_fields(self, fields: Fields, peer: str) -> tuple[Fields, Client]:
        """Return fields without forwarded fields, and the client. `peer` is as in `from_head`."""
        if NAMES.isdisjoint(fields.names()):
            return fields, self._client(peer, ())
        lines = tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in fields if name.lower() in NAMES
        )
        return fields.without(NAMES), self._client(peer, lines if peer in self.trusted else ())

    def _find_client(self, peer: str, lines: Lines) -> Client:
        """Return the client, by the forwarded fields of a trusted peer."""
        said = _said(lines)
        elements = values.elements_in(said.get("forwarded", ""))
        addresses = values.addresses_in(said.get("x-forwarded-for", ""))
        if addresses and elements and values.address_of(elements[-1]) != addresses[-1]:
            elements = []  # the proxy writes X-Forwarded-For, and passes on what its client calls Forwarded
        if not addresses:
            addresses = list(map(values.address_of, elements))
        if not addresses and (real := values.address_in(said.get("x-real-ip", ""))):
            addresses = [real]
        if not elements:
            elements = [{"for": host_in_uri(each)} for each in addresses]
        hop = normal_address(peer)
        way = [*addresses, hop]
        place = self._place_of_client(way)
        # the element that a trusted proxy has written about the client; those in front of it may be the client's own
        steps = max(1, len(way) - 1 - place)
        about = elements[-min(steps, len(elements))] if elements else {}
        return Client(
            address=way[place],
            scheme=values.scheme_in(said.get("x-forwarded-proto") or about.get("proto", "")),
            forwarded_for=", ".join(way if hop else addresses),
            forwarded=", ".join([*map(values.element_text, elements), f"for={values.node_of(hop or values.UNKNOWN)}"]),
            host=values.host_in(said.get("x-forwarded-host", "")),
            port=values.port_in(said.get("x-forwarded-port", "")),
            prefix=values.prefix_in(said.get("x-forwarded-prefix", "")),
            told=tuple(element[name].lower() for element in elements for name in ("host", "proto") if name in element),
            sends_x_fields=self._nobody.sends_x_fields,
            sends_forwarded=self._nobody.sends_forwarded,
        )

    def _place_of_client(self, way: list[str]) -> int:
        """Return the place of the client among the addresses that a request has come from, the last of them its peer.

        That is the last one that is not a trusted proxy, or the first if all are. What is in front of it, the client
        may have written itself. If a proxy does not tell whom a request is from, the proxy stands for its client.
        """
        place = len(way) - 1
        while place > 0 and way[place] in self.trusted and way[place - 1] != values.UNKNOWN:
            place -= 1
        return place


def _said(lines: Lines) -> dict[str, str]:
    """Return the values of fields by lower-case name; the lines of one field are joined."""
    said: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1").strip(" \t")
        said[name] = f"{said[name]}, {value}" if name in said else value
    return said


def without_client(head: bytes) -> bytes:
    """Return a request head without the lines that differ from client to client; it is equal for equal requests."""
    return _CLIENT_LINE.sub(b"", head)


@lru_cache(maxsize=512)
def view_prefix(client: Client) -> bytes:
    """Return the bytes that tell heads apart whose requests trusted proxies describe differently; mostly none."""
    return ("\t".join(client.view) + "\n").encode("latin-1") if client.view else b""
