"""Range requests: the parts of a stored 200 that a Range field asks for (RFC 9110 §14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cache.http.fields import is_strong
from cache.http.messages import Request
from cache.rules.stored_parts import strong_date
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import entity_tag

_SPECIFIER = re.compile(r"([0-9]+)-([0-9]*)|-([0-9]+)")
_MAX_DIGITS = 18
"""A position with more digits is treated as one beyond the end of any content."""

MAX_RANGES = 16
"""A request for more ranges gets the whole content (RFC 9110 §17.15)."""

MAX_OVERLAPS = 2
"""A request with more overlapping ranges gets the whole content (RFC 9110 §17.15)."""

MAX_GAP = 80
"""Bytes between two ranges that are sent too, since they cost less than a further part (RFC 9110 §15.3.7.2)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` (inclusive) to `stop` (exclusive) of the content."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """The ranges are valid, but outside the content: the response is a 416."""


def requested_parts(request: Request, entry: StoredResponse) -> tuple[Part, ...] | Unsatisfiable | None:
    """Return the parts that a Range asks of a stored 200, in the same order, or None if the whole is to be sent."""
    value = request.fields.get("range")
    if entry.scrubbed:  # the client may combine the part with parts of the original content
        return None
    if value is None or request.method != "GET" or entry.head.status != 200 or not _if_range_holds(request, entry):
        return None
    unit, _, listed = value.partition("=")
    specifiers = [_SPECIFIER.fullmatch(member.strip(" \t")) for member in listed.split(",") if member.strip(" \t")]
    if unit.lower() != "bytes" or not specifiers:
        return None
    parts: list[Part] = []
    for specifier in specifiers:
        if specifier is None or _is_reversed(specifier):
            return None  # a malformed Range is ignored
        if part := _part(specifier, entry.total):
            parts.append(part)
    if not parts:
        # RFC 9110 §14.1.2: only a suffix range is satisfiable for empty content, and it selects all of it
        suffix = any(specifier and _position(specifier[3] or "0") for specifier in specifiers)
        return None if suffix and entry.total == 0 else Unsatisfiable()
    if len(specifiers) > MAX_RANGES or sum(part.stop - part.start for part in parts) > entry.total:
        return None
    return _merged(parts)


def _is_reversed(specifier: re.Match[str]) -> bool:
    first, last, _ = specifier.groups()
    return bool(last) and _position(last) < _position(first)


def _part(specifier: re.Match[str], total: int) -> Part | None:
    """Return the bytes that one range specifier selects, or None if there are none."""
    first, last, suffix = specifier.groups()
    if suffix is not None:
        start = max(0, total - _position(suffix))
        return Part(start, total) if start < total else None
    start, stop = _position(first), min(_position(last) + 1, total) if last else total
    return Part(start, stop) if start < total else None


def _position(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _merged(parts: list[Part]) -> tuple[Part, ...] | None:
    """Return the parts, with overlapping or close ones merged, or None if too many overlap."""
    merged: list[Part] = []
    overlaps = 0
    for part in parts:
        near = [other for other in merged if part.start < other.stop + MAX_GAP and other.start < part.stop + MAX_GAP]
        overlaps += any(part.start < other.stop and other.start < part.stop for other in near)
        combined = Part(min(each.start for each in (part, *near)), max(each.stop for each in (part, *near)))
        place = merged.index(near[0]) if near else len(merged)
        merged = [other for other in merged if other not in near]
        merged.insert(place, combined)
    return None if overlaps > MAX_OVERLAPS else tuple(merged)


def _if_range_holds(request: Request, entry: StoredResponse) -> bool:
    """Return whether If-Range is absent or matches the stored response exactly (RFC 9110 §13.1.5)."""
    validator = request.fields.get("if-range")
    if validator is None:
        return True
    if validator.startswith(('"', "W/")):
        return is_strong(validator) and validator == entity_tag(entry.head.fields)
    return validator == strong_date(entry)
