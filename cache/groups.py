"""Cache groups: responses of one origin that go out of date together (RFC 9875)."""

from __future__ import annotations

import http_sf

from cache.messages import Fields

MAX_GROUPS = 128
"""More groups of one response than these are ignored."""

MAX_NAME = 256
"""A longer name is ignored."""


def groups(fields: Fields) -> frozenset[str]:
    """Return the groups that a response says it belongs to; none where the field cannot be read."""
    return _names(fields.get("cache-groups"))


def invalidated_groups(fields: Fields) -> frozenset[str]:
    """Return the groups that an answer to an unsafe method says are out of date."""
    return _names(fields.get("cache-group-invalidation"))


def _names(value: str | None) -> frozenset[str]:
    """Return the strings of a List of Strings, or nothing if it is anything else (RFC 9875 §2)."""
    if value is None:
        return frozenset()
    try:
        members = http_sf.parse(value.encode("latin-1"), tltype="list")
    except ValueError:
        return frozenset()
    if not isinstance(members, list):
        return frozenset()
    names = [member[0] if isinstance(member, tuple) else None for member in members]
    if not all(isinstance(name, str) for name in names):
        return frozenset()
    return frozenset([name for name in names if isinstance(name, str) and len(name) <= MAX_NAME][:MAX_GROUPS])
