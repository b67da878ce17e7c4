"""Cache groups: responses of one origin that are invalidated together (RFC 9875)."""

from __future__ import annotations

from cache.http.messages import Fields
from cache.http.structured_fields import strings

MAX_GROUPS = 128
"""Groups of one response; further ones are ignored."""

MAX_NAME = 256
"""Characters of a group's name; longer names are ignored."""


def groups(fields: Fields) -> frozenset[str]:
    """Return the groups in Cache-Groups; none if the field is malformed."""
    return _names(fields.get("cache-groups"))


def invalidated_groups(fields: Fields) -> frozenset[str]:
    """Return the groups in Cache-Group-Invalidation, a field of responses to unsafe methods."""
    return _names(fields.get("cache-group-invalidation"))


def _names(value: str | None) -> frozenset[str]:
    """Return the strings of a List of Strings; none if the value is anything else (RFC 9875 §2)."""
    names = strings(value or "") or ()
    return frozenset([name for name in names if len(name) <= MAX_NAME][:MAX_GROUPS])
