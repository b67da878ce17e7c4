"""What a Range asks of a stored 200 (RFC 9110 §14)."""

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
"""A position with more digits than this lies beyond any content."""

MAX_RANGES = 16
"""More than these in one request get the whole (RFC 9110 §17.15)."""

MAX_OVERLAPS = 2

NEAR = 80
"""Octets between two ranges that cost less than another part's head (RFC 9110 §15.3.7.2)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Octets `start` (inclusive) to `stop` (exclusive) of the content."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """The ranges are valid but lie outside the content."""


def requested_parts(request: Request, entry: StoredResponse) -> tuple[Part, ...] | Unsatisfiable | None:
    """Return what a Range asks of a stored 200, in the order asked, or None where the whole is the answer."""
    value = request.fields.get("range")
    if entry.scrubbed:  # a client may have other octets of it from the origin
        return None
    if value is None or request.method != "GET" or entry.head.status != 200 or not _if_range_holds(request, entry):
        return None
    unit, _, listed = value.partition("=")
    specifiers = [_SPECIFIER.fullmatch(member.strip(" \t")) for member in listed.split(",") if member.strip(" \t")]
    if unit.lower() != "bytes" or not specifiers:
        return None
    asked: list[Part] = []
    for specifier in specifiers:
        if specifier is None or _is_reversed(specifier):
            return None  # malformed: as if there were none
        if part := _part(specifier, entry.total):
            asked.append(part)
    if not asked:
        # RFC 9110 §14.1.2: of an empty representation a suffix gives the whole, and there is nothing else
        suffix = any(specifier and _position(specifier[3] or "0") for specifier in specifiers)
        return None if suffix and entry.total == 0 else Unsatisfiable()
    if len(specifiers) > MAX_RANGES or sum(part.stop - part.start for part in asked) > entry.total:
        return None
    return _merged(asked)


def _is_reversed(specifier: re.Match[str]) -> bool:
    first, last, _ = specifier.groups()
    return bool(last) and _position(last) < _position(first)


def _part(specifier: re.Match[str], total: int) -> Part | None:
    """Return the octets that one range specifier means, or None if there are none of them."""
    first, last, suffix = specifier.groups()
    if suffix is not None:
        start = max(0, total - _position(suffix))
        return Part(start, total) if start < total else None
    start, stop = _position(first), min(_position(last) + 1, total) if last else total
    return Part(start, stop) if start < total else None


def _position(digits: str) -> int:
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _merged(asked: list[Part]) -> tuple[Part, ...] | None:
    """Return the parts with those joined that overlap or nearly touch; None if too many overlap."""
    merged: list[Part] = []
    overlaps = 0
    for part in asked:
        near = [other for other in merged if part.start < other.stop + NEAR and other.start < part.stop + NEAR]
        overlaps += any(part.start < other.stop and other.start < part.stop for other in near)
        combined = Part(min(each.start for each in (part, *near)), max(each.stop for each in (part, *near)))
        place = merged.index(near[0]) if near else len(merged)
        merged = [other for other in merged if other not in near]
        merged.insert(place, combined)
    return None if overlaps > MAX_OVERLAPS else tuple(merged)


def _if_range_holds(request: Request, entry: StoredResponse) -> bool:
    """Tell whether If-Range is absent or names exactly what is stored (RFC 9110 §13.1.5)."""
    validator = request.fields.get("if-range")
    if validator is None:
        return True
    if validator.startswith(('"', "W/")):
        return is_strong(validator) and validator == entity_tag(entry.head.fields)
    return validator == strong_date(entry)
