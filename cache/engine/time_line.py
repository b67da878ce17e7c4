"""The life of a stored response as a line: how long it is used for what, one part after the other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.freshness import current_age, directives_of, forbids_stale, freshness_lifetime, reason_to_validate
from cache.rules.stored_response import StoredResponse


class Use(StrEnum):
    """The uses of a stored response that are possible for some time."""

    FRESH = "fresh"
    """It is sent."""
    WHILE_REVALIDATED = "while-revalidated"
    """It is sent while it is validated behind the response (RFC 5861 §3)."""
    IF_ERROR = "if-error"
    """It is sent if the origin fails (RFC 5861 §4)."""
    IF_UNREACHABLE = "if-unreachable"
    """It is sent if the origin cannot be reached (RFC 9111 §4.2.4)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the line. Times are in seconds since the epoch."""

    use: Use
    start: float
    end: float
    source: str
    """The directive, the field, the rule or the setting that the end follows from."""


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The line. Times are in seconds since the epoch."""

    now: float
    made_at: float
    """The time from which its age is counted."""
    stored_at: float
    segments: tuple[Segment, ...]
    """Behind the last one, and if there is none, it is used only after the origin has confirmed it."""
    validate: Detail | None
    """The reason why it is never used before the origin has confirmed it; None if there is none."""


def time_line(entry: StoredResponse, policy: CachePolicy, now: float) -> TimeLine:
    """Return the line of a stored response at `now`, in seconds since the epoch."""
    made_at, lifetime = now - current_age(entry, policy, now), freshness_lifetime(entry, policy)
    directives, stale_from = directives_of(entry, policy), made_at + lifetime.seconds
    by_rule = "a rule of the site" if directives.stale_by_rule else ""
    uses: list[tuple[Use, int, str]] = []
    if not forbids_stale(entry, policy, outage=False):
        source = by_rule or "stale-while-revalidate"
        uses.append((Use.WHILE_REVALIDATED, directives.stale_while_revalidate, source))
    if not forbids_stale(entry, policy, outage=True):
        uses.append((Use.IF_ERROR, directives.stale_if_error, by_rule or "stale-if-error"))
        uses.append((Use.IF_UNREACHABLE, policy.freshness.max_stale_disconnected, "cache.max_stale_disconnected"))
    validate = reason_to_validate(entry, policy)
    segments: list[Segment] = []
    start = made_at
    if lifetime.seconds > 0 and validate is None and not entry.soft_purged:
        segments.append(Segment(Use.FRESH, made_at, stale_from, lifetime.source))
        start = stale_from
    for use, seconds, source in uses:
        if stale_from + seconds > start:
            segments.append(Segment(use, start, stale_from + seconds, source))
            start = stale_from + seconds
    return TimeLine(now, made_at, entry.stored_at, tuple(segments), validate)
