"""Table of header fields and how to handle each. A field that is not listed is end-to-end and stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cache.http.fields import tokens
from cache.http.messages import Fields


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The rules for one field."""

    hop_by_hop: bool = False
    """Only for this connection: neither forwarded nor stored (RFC 9110 §7.6.1)."""
    stored: bool = True
    """Kept in a stored response (RFC 9111 §3.1)."""
    freshened: bool = True
    """Updated from a 304 response (RFC 9111 §3.2)."""
    representation: bool = False
    """Representation metadata: left out of a 304 that this cache generates (RFC 9110 §15.4.5)."""
    whole: bool = False
    """Describes the content as a whole: left out of a 206 that this cache generates (RFC 9530 §2)."""


_HOP_BY_HOP = FieldRule(hop_by_hop=True, stored=False, freshened=False)
_CONTENT = FieldRule(representation=True)
# Needed to read the stored bytes, so a 304 must not change them
_FRAMING = FieldRule(representation=True, freshened=False)
_DIGEST = FieldRule(representation=True, whole=True)

TABLE: dict[str, FieldRule] = {
    "connection": _HOP_BY_HOP,
    "keep-alive": _HOP_BY_HOP,
    "proxy-connection": _HOP_BY_HOP,
    "te": _HOP_BY_HOP,
    "transfer-encoding": _HOP_BY_HOP,
    "upgrade": _HOP_BY_HOP,
    # RFC 9111 §3.1: these concern this proxy alone
    "proxy-authenticate": FieldRule(stored=False, freshened=False),
    "proxy-authentication-info": FieldRule(stored=False, freshened=False),
    "proxy-authorization": _HOP_BY_HOP,
    # Trailer fields are not stored, so their announcement is not either
    "trailer": FieldRule(stored=False, freshened=False, representation=True),
    "accept-ranges": _CONTENT,
    "content-digest": _DIGEST,
    "content-disposition": _CONTENT,
    "content-encoding": _FRAMING,
    "content-language": _CONTENT,
    "content-length": _FRAMING,
    "content-md5": _DIGEST,
    "content-range": _FRAMING,
    "content-type": _CONTENT,
    "digest": _CONTENT,
    "last-modified": _CONTENT,
    "repr-digest": _CONTENT,
}

FRAMING = frozenset({"content-length", "transfer-encoding"})
"""The fields that say where the content of a message ends (RFC 9112 §6)."""


def imitates_framing(name: str) -> bool:
    """Return whether some servers take a field with this name for one of framing, since they read `_` as `-`.

    CGI and its successors, such as WSGI, have one name for both (RFC 3875 §4.1.18).
    """
    return "_" in name and name.replace("_", "-").lower() in FRAMING


_DEFAULT = FieldRule()
# RFC 9110 §7.6.1: Connection may name any field. Without these, framing, routing or identity would be lost
_NEVER_HOP_BY_HOP = frozenset({"content-length", "host", "cookie", "authorization", "cache-control", "via"})


def row(name: str) -> FieldRule:
    """Return the row of a field name, in any letter case."""
    return TABLE.get(name.lower(), _DEFAULT)


_HOP_BY_HOP_NAMES = frozenset(name for name, row in TABLE.items() if row.hop_by_hop)


def hop_by_hop(fields: Fields) -> frozenset[str]:
    """Return the hop-by-hop field names in lower case, including those that Connection lists."""
    return _HOP_BY_HOP_NAMES | (set(tokens(fields.get("connection"))) - _NEVER_HOP_BY_HOP)


@lru_cache(maxsize=512)
def end_to_end(fields: Fields) -> Fields:
    """Return the fields without the hop-by-hop ones."""
    return fields.without(hop_by_hop(fields))
