"""One table of header fields. A rule about a field is a cell here; a field not listed is end-to-end and stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cache.http.fields import tokens
from cache.http.messages import Fields


@dataclass(frozen=True, slots=True)
class Row:
    """What happens to one field."""

    hop_by_hop: bool = False
    """Meant for the next hop: neither forwarded nor stored (RFC 9110 §7.6.1)."""
    stored: bool = True
    """Part of a stored response (RFC 9111 §3.1)."""
    freshened: bool = True
    """Replaced by the same field of a 304 (RFC 9111 §3.2)."""
    representation: bool = False
    """Describes the content: left out of a 304 we make (RFC 9110 §15.4.5)."""
    whole: bool = False
    """True of the whole message only: left out of a 206 we make (RFC 9530 §2)."""


_HOP = Row(hop_by_hop=True, stored=False, freshened=False)
_CONTENT = Row(representation=True)
# what would make the stored octets unreadable, should a 304 change it
_FRAMING = Row(representation=True, freshened=False)
_DIGEST = Row(representation=True, whole=True)

TABLE: dict[str, Row] = {
    "connection": _HOP,
    "keep-alive": _HOP,
    "proxy-connection": _HOP,
    "te": _HOP,
    "transfer-encoding": _HOP,
    "upgrade": _HOP,
    # RFC 9111 §3.1: for this proxy's own conversation
    "proxy-authenticate": Row(stored=False, freshened=False),
    "proxy-authentication-info": Row(stored=False, freshened=False),
    "proxy-authorization": _HOP,
    # trailers are not kept with a copy, so their announcement is not either
    "trailer": Row(stored=False, freshened=False, representation=True),
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

_DEFAULT = Row()
# RFC 9110 §7.6.1 lets Connection name any field; these it may not take away: framing, routing, identity
_NEVER_NOMINATED = frozenset({"content-length", "host", "cookie", "authorization", "cache-control", "via"})


def row(name: str) -> Row:
    """Return the row of a field."""
    return TABLE.get(name.lower(), _DEFAULT)


_HOP_BY_HOP = frozenset(name for name, row in TABLE.items() if row.hop_by_hop)


def hop_by_hop(fields: Fields) -> frozenset[str]:
    """Return the lower-case names of the fields that end at this hop, those that Connection names included."""
    return _HOP_BY_HOP | (set(tokens(fields.get("connection"))) - _NEVER_NOMINATED)


@lru_cache(maxsize=512)
def end_to_end(fields: Fields) -> Fields:
    """Return what may be forwarded: the fields less those of this hop."""
    return fields.without(hop_by_hop(fields))
