"""Forwarded fields: what an origin behind an edge is told about the client (X-Forwarded-For and its like, RFC 7239).

They are added to a request when it is sent, and are not among its fields before. So requests of different clients are
alike, and no key depends on a client's address. Their other values are in the key already: scheme, host and port. What
a trusted proxy says besides is compared as a Vary value is.
"""

from __future__ import annotations

from functools import lru_cache

from cache.http.client import Client
from cache.http.fields import TOKEN
from cache.http.messages import Fields, Request, normalised_authority

PER_CLIENT = frozenset({"x-forwarded-for", "x-real-ip", "forwarded"})
"""Fields that differ from client to client and are in no key: a response that varies by one is for one client."""


def forwarded_fields(request: Request) -> Fields:
    """Return the fields about the client that an origin gets with a request; none without a client."""
    if request.client is None:
        return _NONE
    authority = request.client.authority or request.authority
    return _fields(request.client, request.scheme, authority, request.port)


_NONE = Fields()


@lru_cache(maxsize=1024)
def _fields(client: Client, scheme: str, authority: str, port: int) -> Fields:
    lines: list[tuple[str, str]] = []
    host = client.host or authority
    if client.sends_x_fields:
        lines += [
            ("X-Forwarded-For", client.forwarded_for),
            ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Port", client.port or str(port)),
            ("X-Forwarded-Prefix", client.prefix),
            ("X-Real-IP", client.address),
        ]
    if client.sends_forwarded:
        own = f"host={quoted(host)};proto={scheme}"
        lines.append(("Forwarded", f"{client.forwarded};{own}" if client.forwarded else own))
    return Fields(tuple(line for line in lines if line[1]))


def quoted(value: str) -> str:
    """Return a parameter value of Forwarded, quoted unless it is a token (RFC 7239 §4)."""
    if TOKEN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def view_of(request: Request) -> str | None:
    """Return what trusted proxies say about a request that differs from its URL, or None.

    Origins make links and redirects of it, so responses are kept apart by it.
    """
    client = request.client
    if client is None or not (client.host or client.port or client.prefix or client.told):
        return None
    return _view(client, request.scheme, request.authority, request.port)


@lru_cache(maxsize=512)
def _view(client: Client, scheme: str, authority: str, own_port: int) -> str | None:
    host, port = normalised_authority(client.host, scheme), client.port
    others = [value for value in client.told if normalised_authority(value, scheme) not in (authority, scheme)]
    said = {
        "host": host if host != authority else "",
        "port": port if port != str(own_port) else "",
        "prefix": client.prefix,
        "forwarded": ",".join(others),
    }
    return " ".join([f"{name}={value}" for name, value in said.items() if value]) or None
