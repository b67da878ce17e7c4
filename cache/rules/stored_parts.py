"""Stored parts of a response, from 206 responses, and how they are combined (RFC 9111 §3.3, §3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cache.http.fields import http_date, is_strong
from cache.http.record import record
from cache.rules.freshness import date_of
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import entity_tag


@record
class StoredContent:
    """Bytes `start` (inclusive) to `stop` (exclusive) of a stored body."""

    entry: StoredResponse
    start: int
    stop: int


def strong_validator(entry: StoredResponse) -> str | None:
    """Return the strong validator of a stored response, or None (RFC 9110 §8.8.1)."""
    tag = entity_tag(entry.head.fields)
    if tag is not None:
        return tag if is_strong(tag) else None
    return strong_date(entry)


def strong_date(entry: StoredResponse) -> str | None:
    """Return Last-Modified if it is a strong validator: at least a second before Date (RFC 9110 §8.8.2.2)."""
    modified = entry.head.fields.get("last-modified")
    changed = http_date(modified, entry.response_time)
    return modified if changed is not None and date_of(entry) - changed >= 1 else None


def combined(parts: Iterable[StoredResponse]) -> tuple[StoredResponse, ...]:
    """Return stored parts as responses: one for each strong validator and length, with the head of the newest part."""
    groups: dict[tuple[str, int], list[StoredResponse]] = {}
    responses: list[StoredResponse] = []
    for part in sorted(parts, key=lambda part: (date_of(part), part.response_time), reverse=True):
        validator = strong_validator(part)
        if validator is None:
            responses.append(part)  # RFC 9111 §3.4: without a strong validator, parts are not combined
        else:
            groups.setdefault((validator, part.total), []).append(part)
    responses += [_as_one(group) if len(group) > 1 else group[0] for group in groups.values()]
    return tuple(responses)


def _as_one(parts: list[StoredResponse]) -> StoredResponse:
    """Return parts of one response, newest first, as that response; newer fields replace older ones (RFC 9111 §3.4)."""
    fields = parts[-1].head.fields
    for part in reversed(parts[:-1]):
        # a 206 to If-Range has only some of the fields (RFC 9110 §15.3.7)
        fields = fields.without(part.head.fields.names()).appending(*part.head.fields)
    head = replace(parts[0].head, fields=fields)
    return replace(parts[0], head=head, personal=any(part.personal for part in parts), combined_parts=tuple(parts))


def may_belong_together(old: StoredResponse, new: StoredResponse) -> bool:
    """Return whether nothing shows that two stored parts are of different representations.

    Without a validator nothing shows that they are of the same one either, so they may not be combined.
    """
    if (strong_validator(old), old.total) != (strong_validator(new), new.total):
        return False
    return entity_tag(old.head.fields) == entity_tag(new.head.fields)


def missing_range(entry: StoredResponse) -> tuple[int, int] | None:
    """Return the one range (start, stop) that holds all missing bytes of the content, or None if none is missing."""
    gaps, at = list[tuple[int, int]](), 0
    for part in sorted(entry.parts, key=lambda part: part.first):
        if part.first > at:
            gaps.append((at, part.first))
        at = max(at, part.first + part.length)
    if at < entry.total:
        gaps.append((at, entry.total))
    return (gaps[0][0], gaps[-1][1]) if gaps else None


def find_content(entry: StoredResponse, start: int, stop: int) -> tuple[StoredContent, ...] | None:
    """Return where bytes `start` to `stop` of the whole content are stored, or None if one of them is missing."""
    found: list[StoredContent] = []
    at = start
    for part in sorted(entry.parts, key=lambda part: part.first):
        end = min(stop, part.first + part.length)
        if part.first <= at < end:
            found.append(StoredContent(part, at - part.first, end - part.first))
            at = end
    return tuple(found) if at >= stop else None
