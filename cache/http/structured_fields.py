"""Parsers for Structured Fields (RFC 9651). A malformed field is ignored, as if it were absent (§4.2)."""

from __future__ import annotations

from collections.abc import Mapping

import http_sf


def dictionary(value: str) -> Mapping[str, object] | None:
    """Parse a Dictionary. Each member is (bare value, parameters) or an inner list. Return None if it is malformed."""
    try:
        parsed = http_sf.parse(value.encode("latin-1"), tltype="dictionary")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def strings(value: str) -> list[str] | None:
    """Parse a List of Strings and drop their parameters. Return None if it is malformed or a member is not a String."""
    try:
        parsed = http_sf.parse(value.encode("latin-1"), tltype="list")
    except ValueError:
        return None
    return strings_of(parsed)


def strings_of(members: object) -> list[str] | None:
    """Return the Strings of a parsed List or inner list. None if it is not a list or a member is not a String."""
    if not isinstance(members, list):
        return None
    values = [member[0] if isinstance(member, tuple) else None for member in members]
    # Exact type: http_sf has a subclass of str for Tokens, which are not Strings
    texts = [value for value in values if type(value) is str]
    return texts if len(texts) == len(values) else None
