"""Structured fields (RFC 9651), all of them read here; what cannot be read is as if it were not there (§4.2)."""

from __future__ import annotations

from collections.abc import Mapping

import http_sf


def dictionary(value: str) -> Mapping[str, object] | None:
    """Return the members of a Dictionary: a bare value with its parameters, or an inner list. None if malformed."""
    try:
        parsed = http_sf.parse(value.encode("latin-1"), tltype="dictionary")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def strings(value: str) -> list[str] | None:
    """Return what a List of Strings says, parameters left out, or None if it is anything else."""
    try:
        parsed = http_sf.parse(value.encode("latin-1"), tltype="list")
    except ValueError:
        return None
    return strings_of(parsed)


def strings_of(members: object) -> list[str] | None:
    """Return the Strings of a parsed List or inner list, or None where it is none or a member is no String."""
    if not isinstance(members, list):
        return None
    bare = [member[0] if isinstance(member, tuple) else None for member in members]
    # a Token is no String, and the library has them as a kind of str
    named = [value for value in bare if type(value) is str]
    return named if len(named) == len(bare) else None
