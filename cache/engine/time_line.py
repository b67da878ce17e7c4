"""The life of a stored response as a line: how long it is used for what, one part after the other."""

from __future__ import annotations

from collections.abc import Iterator
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
    WITHOUT_ORIGIN = "without-origin"
    """It is sent, and no origin is asked: this proxy is offline, or a recording is being replayed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the line. Times are in seconds since the epoch."""

    use: Use
    start: float
    end: float | None
    """None if it has no end; it is the last part then."""
    source: str
    """The directive, the field, the rule or the setting that the end, or that there is none, follows from."""


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The line. Times are in seconds since the epoch."""

    now: float
    made_at: float
    """The time from which its age is counted."""
    stored_at: float
    segments: tuple[Segment, ...]
    """Behind the end of the last one, and if there is none, it is used only after the origin has confirmed it."""
    validate: Detail | None
    """The reason why it is never used before the origin has confirmed it; None if there is none."""


def time_line(entry: StoredResponse, policy: CachePolicy, now: float) -> TimeLine:
    """Return the line of a stored response at `now`, in seconds since the epoch."""
    made_at, lifetime = now - current_age(entry, policy, now), freshness_lifetime(entry, policy)
    stale_from, endless = made_at + lifetime.seconds, _endless_use(entry, policy)
    validate = reason_to_validate(entry, policy)
    is_fresh_first = validate is None and not entry.soft_purged and not policy.freshness.always_fresh
    segments: list[Segment] = []
    start = made_at
    if lifetime.seconds > 0 and is_fresh_first:
        segments.append(Segment(Use.FRESH, made_at, stale_from, lifetime.source))
        start = stale_from
    origin_counts = endless is None or endless[0] is not Use.WITHOUT_ORIGIN
    for use, seconds, source in _limited_uses(entry, policy) if origin_counts else ():
        if stale_from + seconds > start:
            segments.append(Segment(use, start, stale_from + seconds, source))
            start = stale_from + seconds
    if endless:
        use, source = endless
        segments.append(Segment(use, start, None, source))
    return TimeLine(now, made_at, entry.stored_at, tuple(segments), None if endless else validate)


def _endless_use(entry: StoredResponse, policy: CachePolicy) -> tuple[Use, str] | None:
    """Return the use of a stale response that no age ends, and its source; None if there is none."""
    if policy.freshness.always_fresh:
        return Use.WITHOUT_ORIGIN, "a replay"
    if forbids_stale(entry, policy, outage=True):
        use = Use.WITHOUT_ORIGIN if policy.network.offline else Use.IF_UNREACHABLE
        return (use, "offline.override") if policy.private.override_offline else None
    if policy.network.offline and not policy.network.disconnected:
        return Use.WITHOUT_ORIGIN, "the mode offline"
    return None


def _limited_uses(entry: StoredResponse, policy: CachePolicy) -> Iterator[tuple[Use, int, str]]:
    """Iterate over the uses of a stale response that end: how many seconds after its lifetime, and by which source."""
    directives = directives_of(entry, policy)
    by_rule = "a rule of the site" if directives.stale_by_rule else ""
    if entry.soft_purged and reason_to_validate(entry, policy) is None:  # its origin allows its use so long
        yield Use.WHILE_REVALIDATED, 0, freshness_lifetime(entry, policy).source
    if not forbids_stale(entry, policy, outage=policy.network.offline):
        yield Use.WHILE_REVALIDATED, directives.stale_while_revalidate, by_rule or "stale-while-revalidate"
    if not forbids_stale(entry, policy, outage=True):
        yield Use.IF_ERROR, directives.stale_if_error, by_rule or "stale-if-error"
        yield Use.IF_UNREACHABLE, policy.freshness.max_stale_disconnected, "cache.max_stale_disconnected"
