"""How long a stored response is fresh, how old it is, and whether it may be used when it is stale (RFC 9111 §4.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from cache.http.cache_control import RequestDirectives, ResponseDirectives, response_directives
from cache.http.fields import MAX_SECONDS, delta_seconds, http_date, media_type, members
from cache.http.messages import Fields, Received, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.stored_response import StoredResponse

HEURISTICALLY_CACHEABLE = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 451, 501})
"""RFC 9110 §15.1."""

HEURISTIC_FRACTION = 0.1
"""Of the time since the last modification (RFC 9111 §4.2.2)."""

HEURISTIC_NEGATIVE_MAX = 10
"""Seconds that an error may live without the origin having said so."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A freshness lifetime and where it comes from."""

    seconds: int
    source: str
    """The directive or field that decided, `heuristic`, or `none`."""


def directives_of(entry: StoredResponse, policy: CachePolicy) -> ResponseDirectives:
    """Return the directives that hold for a stored response."""
    return response_directives(entry.head.fields, policy.targeted_fields)


def date_of(entry: StoredResponse | Received) -> float:
    """Return when the origin made the response: its Date, or the time of receipt where that is unreadable."""
    date = http_date(entry.head.fields.get("date"), entry.response_time)
    return entry.response_time if date is None else date


def explicit_lifetime(fields: Fields, date: float, directives: ResponseDirectives) -> Lifetime | None:
    """Return the lifetime that the origin gives, 0 where what it gives is unreadable, or None if it gives none.

    `date` is the response's Date in seconds since the epoch.
    """
    if directives.broken:
        return Lifetime(0, f"{directives.source} unreadable")
    if directives.s_maxage is not None:  # RFC 9111 §4.2.1: first for a shared cache
        return Lifetime(directives.s_maxage, "s-maxage")
    if directives.max_age is not None:
        return Lifetime(directives.max_age, "max-age")
    # RFC 9213 §2.2: next to a targeted field Expires does not count
    if directives.source == "cache-control" and "expires" in fields:
        expires = http_date(fields.get("expires"), date)
        # RFC 9111 §5.3: an invalid date, "0" above all, is the past
        return Lifetime(0 if expires is None else max(0, math.floor(expires - date)), "Expires")
    return None


def freshness_lifetime(entry: StoredResponse, policy: CachePolicy) -> Lifetime:
    """Return a stored response's freshness lifetime (RFC 9111 §4.2.1)."""
    directives, date = directives_of(entry, policy), date_of(entry)
    return explicit_lifetime(entry.head.fields, date, directives) or _heuristic_lifetime(entry, directives, policy)


def _heuristic_lifetime(entry: StoredResponse, directives: ResponseDirectives, policy: CachePolicy) -> Lifetime:
    nothing = Lifetime(0, "none")
    if entry.head.status not in HEURISTICALLY_CACHEABLE and not directives.public:  # RFC 9111 §4.2.2
        return nothing
    if "?" in entry.target and not policy.freshness.heuristic_query:
        return nothing
    fields = entry.head.fields
    # no guesses where the response is likely to be somebody's own (RFC 9111 §7.3) or says not to
    if entry.personal or "set-cookie" in fields:
        return nothing
    if "no-cache" in (fields.get("pragma") or "").lower() and "cache-control" not in fields:
        return nothing
    if seconds := lifetime_of_kind(entry.target, entry.head, policy):
        return Lifetime(seconds, "heuristic")
    modified = http_date(fields.get("last-modified"), entry.response_time)
    if modified is None:
        return nothing
    seconds = min(int((date_of(entry) - modified) * HEURISTIC_FRACTION), policy.freshness.heuristic_max)
    if entry.head.status >= 400:
        seconds = min(seconds, HEURISTIC_NEGATIVE_MAX)
    return Lifetime(max(0, seconds), "heuristic")


def lifetime_of_kind(target: str, head: Response, policy: CachePolicy) -> int:
    """Return the seconds that the operator gives this kind of response; 0 where no rule fits it.

    `target` is the absolute target URI.
    """
    if head.status != 200:
        return 0
    parts, media = urlsplit(target), media_type(head.fields.get("content-type"))
    for rule in policy.freshness.lifetimes:
        if (
            rule.host.fullmatch(str(parts.hostname))
            and any(path.fullmatch(parts.path) for path in rule.paths)
            and any(kind.fullmatch(media) for kind in rule.content_types)
        ):
            return rule.seconds
    return 0


def received_age(fields: Fields) -> int | None:
    """Return the Age a response came with: its first member, or None if that is no count of seconds."""
    value = fields.get("age")
    # RFC 9111 §5.1: the first counts, the rest is dropped
    return delta_seconds(next(iter(members(value)), "")) if value else None


def current_age(entry: StoredResponse, policy: CachePolicy, now: float) -> float:
    """Return a stored response's age in seconds, never negative (RFC 9111 §4.2.3)."""
    corrected = (received_age(entry.head.fields) or 0) + max(0.0, entry.response_time - entry.request_time)
    apparent = max(0.0, entry.response_time - date_of(entry))
    initial = max(apparent, corrected) if policy.freshness.conservative_age else corrected
    return min(initial + max(0.0, now - entry.response_time), float(MAX_SECONDS))


def time_to_live(entry: StoredResponse, policy: CachePolicy, now: float) -> int:
    """Return the seconds of freshness left, negative once stale: the `ttl` of Cache-Status (RFC 9211 §2.4)."""
    return math.floor(freshness_lifetime(entry, policy).seconds - current_age(entry, policy, now))


def is_fresh(entry: StoredResponse, policy: CachePolicy, now: float) -> bool:
    """Tell whether the lifetime exceeds the age; equal is stale (RFC 9111 §4.2)."""
    return freshness_lifetime(entry, policy).seconds > current_age(entry, policy, now)


def overrides(policy: CachePolicy) -> bool:
    """Tell whether copies are sent although their origin forbids that unasked (decision D25)."""
    return policy.network.offline and policy.private.override_offline


def never_unasked(entry: StoredResponse, policy: CachePolicy) -> Detail | None:
    """Return why a stored response must not be used without asking the origin, fresh or not, or None."""
    directives = directives_of(entry, policy)
    if entry.invalid:
        return Detail.INVALIDATED
    if directives.no_store and not directives.must_understand:  # only kept for use offline
        return Detail.RESPONSE_NO_STORE
    return Detail.RESPONSE_NO_CACHE if directives.no_cache else None  # RFC 9111 §5.2.2.4


def never_stale(entry: StoredResponse, policy: CachePolicy) -> bool:
    """Tell whether the origin forbids any use of this response without validation once it is stale."""
    directives = directives_of(entry, policy)
    # RFC 9111 §5.2.2.2, §5.2.2.4, §5.2.2.8; §5.2.2.10 gives s-maxage the same force, and §3.5 allows no exception
    shared = directives.s_maxage is not None and (entry.personal or not policy.freshness.s_maxage_allows_stale)
    revalidated = directives.must_revalidate or directives.proxy_revalidate or shared
    return revalidated or never_unasked(entry, policy) is not None


def stale_use(entry: StoredResponse, asked: RequestDirectives, policy: CachePolicy, now: float) -> Detail | None:
    """Return what allows a stale response to be sent without asking the origin, or None if nothing does."""
    if never_stale(entry, policy):
        return Detail.OVERRIDE_OFFLINE if overrides(policy) else None
    staleness = current_age(entry, policy, now) - freshness_lifetime(entry, policy).seconds
    if policy.network.offline and (
        not policy.network.disconnected or staleness <= policy.freshness.max_stale_disconnected
    ):
        return Detail.OFFLINE
    if asked.max_stale and staleness <= asked.max_stale:
        return Detail.MAX_STALE
    window = directives_of(entry, policy).stale_while_revalidate
    if window and staleness <= window:  # RFC 5861 §3
        return Detail.STALE_WHILE_REVALIDATE
    return None


def stale_use_after_error(
    entry: StoredResponse, asked: RequestDirectives, policy: CachePolicy, now: float
) -> Detail | None:
    """Return STALE_IF_ERROR if a failed validation leaves this response usable (RFC 5861 §4), else None."""
    if never_stale(entry, policy):
        return None
    staleness = current_age(entry, policy, now) - freshness_lifetime(entry, policy).seconds
    allowed = max(directives_of(entry, policy).stale_if_error, asked.stale_if_error)
    return Detail.STALE_IF_ERROR if allowed and staleness <= allowed else None


def stale_use_when_disconnected(
    entry: StoredResponse, asked: RequestDirectives, policy: CachePolicy, now: float
) -> Detail | None:
    """Return what allows this response while the origin cannot be reached (RFC 9111 §4.2.4), or None."""
    if never_stale(entry, policy):
        return Detail.OVERRIDE_OFFLINE if policy.private.override_offline else None
    staleness = current_age(entry, policy, now) - freshness_lifetime(entry, policy).seconds
    if staleness <= policy.freshness.max_stale_disconnected:
        return stale_use_after_error(entry, asked, policy, now) or Detail.DISCONNECTED
    return stale_use_after_error(entry, asked, policy, now)
