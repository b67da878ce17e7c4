"""Parts of a stored response: single byte ranges out of a whole copy (RFC 9110 §14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cache.entry import StoredResponse
from cache.fields import http_date, is_strong
from cache.messages import Request
from cache.validation import entity_tag

_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)
MAX_DIGITS = 19
"""A position with more digits than this lies beyond any content."""


@dataclass(frozen=True, slots=True)
class Part:
    """Octets `start` (inclusive) to `stop` (exclusive) of the stored content."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """The range is valid but lies outside the content."""


def requested_part(request: Request, entry: StoredResponse) -> Part | Unsatisfiable | None:
    """Return what a Range asks of a stored 200, or None where the whole is the answer (RFC 9110 §14.2)."""
    value = request.fields.get("range")
    if value is None or request.method != "GET" or entry.head.status != 200 or not _if_range_holds(request, entry):
        return None
    match = _RANGE.fullmatch(value)
    if match is None:  # malformed, another unit, or several ranges: allowed to be ignored
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return _suffix(suffix, entry.length)
    if last and _position(last) < _position(first):
        return None
    if _position(first) >= entry.length:
        return Unsatisfiable()
    stop = min(_position(last) + 1, entry.length) if last else entry.length
    return Part(_position(first), stop)


def _suffix(digits: str, length: int) -> Part | Unsatisfiable | None:
    wanted = _position(digits)
    if wanted == 0:
        return Unsatisfiable()
    # RFC 9110 §14.1.2: of an empty representation a suffix gives the whole
    return Part(max(0, length - wanted), length) if length else None


def _position(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS


def _if_range_holds(request: Request, entry: StoredResponse) -> bool:
    """Tell whether If-Range is absent or names exactly what is stored (RFC 9110 §13.1.5)."""
    validator = request.fields.get("if-range")
    if validator is None:
        return True
    if validator.startswith(('"', "W/")):
        return is_strong(validator) and validator == entity_tag(entry.head.fields)
    modified, date = entry.head.fields.get("last-modified"), http_date(entry.head.fields.get("date"), 0.0)
    changed = http_date(modified, 0.0)
    # RFC 9110 §8.8.2.2: a date is strong only if the content had a second to settle
    return validator == modified and None not in (changed, date) and (date or 0) - (changed or 0) >= 1
