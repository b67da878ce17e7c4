"""Cache groups: responses of one origin that go out of date together (RFC 9875)."""

from __future__ import annotations

from cache.http.messages import Fields
from cache.http.structured_fields import strings

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
    names = strings(value or "") or ()
    return frozenset([name for name in names if len(name) <= MAX_NAME][:MAX_GROUPS])
