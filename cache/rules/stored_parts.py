"""Parts of a content that are stored apart: taken from a 206, found again, put together (RFC 9111 §3.3, §3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cache.http.fields import http_date, is_strong
from cache.rules.freshness import date_of
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import entity_tag


@dataclass(frozen=True, slots=True)
class StoredContent:
    """Octets `start` (inclusive) to `stop` (exclusive) of a stored body."""

    entry: StoredResponse
    start: int
    stop: int


def strong_validator(entry: StoredResponse) -> str | None:
    """Return what identifies the octets of a stored response for certain, or None (RFC 9110 §8.8.1)."""
    tag = entity_tag(entry.head.fields)
    if tag is not None:
        return tag if is_strong(tag) else None
    return strong_date(entry)


def strong_date(entry: StoredResponse) -> str | None:
    """Return the Last-Modified of a stored response if the content had a second to settle (RFC 9110 §8.8.2.2)."""
    modified = entry.head.fields.get("last-modified")
    changed = http_date(modified, entry.response_time)
    return modified if changed is not None and date_of(entry) - changed >= 1 else None


def combined(parts: Iterable[StoredResponse]) -> tuple[StoredResponse, ...]:
    """Return stored parts seen as responses: one for each strong validator and length, the newest part leading it."""
    groups: dict[tuple[str, int], list[StoredResponse]] = {}
    seen: list[StoredResponse] = []
    for part in sorted(parts, key=lambda part: (date_of(part), part.response_time), reverse=True):
        validator = strong_validator(part)
        if validator is None:
            seen.append(part)  # RFC 9111 §3.4: what has no strong validator is joined with nothing
        else:
            groups.setdefault((validator, part.total), []).append(part)
    seen += [_led(group) if len(group) > 1 else group[0] for group in groups.values()]
    return tuple(seen)


def _led(parts: list[StoredResponse]) -> StoredResponse:
    """Return parts of one content, newest first, as a response: newer fields replace older ones (RFC 9111 §3.4)."""
    fields = parts[-1].head.fields
    for part in reversed(parts[:-1]):
        # a 206 to If-Range leaves most of them out (RFC 9110 §15.3.7)
        fields = fields.without(part.head.fields.names()).appending(*part.head.fields)
    return replace(parts[0], head=replace(parts[0].head, fields=fields), pieces=tuple(parts))


def gap(entry: StoredResponse) -> tuple[int, int] | None:
    """Return where the octets begin and stop that are missing of a content, as one range; None if none are."""
    missing, at = list[tuple[int, int]](), 0
    for part in sorted(entry.parts, key=lambda part: part.first):
        if part.first > at:
            missing.append((at, part.first))
        at = max(at, part.first + part.length)
    if at < entry.total:
        missing.append((at, entry.total))
    return (missing[0][0], missing[-1][1]) if missing else None


def content(entry: StoredResponse, start: int, stop: int) -> tuple[StoredContent, ...] | None:
    """Return where octets `start` to `stop` of the whole content are stored, or None if any of them is missing."""
    found: list[StoredContent] = []
    at = start
    for part in sorted(entry.parts, key=lambda part: part.first):
        end = min(stop, part.first + part.length)
        if part.first <= at < end:
            found.append(StoredContent(part, at - part.first, end - part.first))
            at = end
    return tuple(found) if at >= stop else None
