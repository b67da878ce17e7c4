"""Freshness: the lifetime and the age of stored responses, and when a stale one may be used (RFC 9111 §4.2)."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from cache.http.cache_control import RequestDirectives, ResponseDirectives, response_directives
from cache.http.fields import MAX_SECONDS, delta_seconds, http_date, media_type, members
from cache.http.messages import Fields, Received, Response
from cache.http.record import record
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.site_responses import NEGATIVE, SUCCESSES, directives_for
from cache.rules.stored_response import StoredResponse

HEURISTICALLY_CACHEABLE = SUCCESSES | NEGATIVE
"""Status codes whose responses may be fresh without an explicit lifetime (RFC 9110 §15.1)."""

HEURISTIC_FRACTION = 0.1
"""The heuristic lifetime, as a fraction of the time from Last-Modified to Date (RFC 9111 §4.2.2)."""

HEURISTIC_NEGATIVE_MAX = 10
"""Maximum heuristic lifetime of an error, in seconds."""


FUTURE_TOLERANCE = 5.0
"""Seconds that a stored time may be ahead of the clock: the clocks of machines that share a store differ a little."""


@record
class Lifetime:
    """A freshness lifetime, and where it comes from."""

    seconds: int
    source: str
    """The directive, the field or the rule of a site that gave it, `heuristic`, or `none`."""
    by_rule: bool = False
    """A rule of the site gave it."""


def directives_of(entry: StoredResponse, policy: CachePolicy) -> ResponseDirectives:
    """Return the cache directives that apply to a stored response."""
    return directives_for(entry.target, entry.head, policy)


def date_of(entry: StoredResponse | Received) -> float:
    """Return the Date of a response in seconds since the epoch, or the time of its receipt if Date is invalid."""
    date = http_date(entry.head.fields.get("date"), entry.response_time)
    return entry.response_time if date is None else date


def explicit_lifetime(fields: Fields, date: float, directives: ResponseDirectives) -> Lifetime | None:
    """Return the lifetime that the origin gives, 0 if it is unreadable, or None if the origin gives none.

    A lifetime that a rule gives takes its place. `date` is the response's Date in seconds since the epoch.
    """
    if directives.by_rule is not None:
        return Lifetime(directives.by_rule, directives.rule, by_rule=True)
    if directives.broken:
        return Lifetime(0, f"{directives.source} unreadable")
    if directives.s_maxage is not None:  # RFC 9111 §4.2.1: a shared cache uses it first
        return Lifetime(directives.s_maxage, "s-maxage")
    if directives.max_age is not None:
        return Lifetime(directives.max_age, "max-age")
    # RFC 9213 §2.2: a targeted field replaces Expires as well
    if directives.source == "cache-control" and "expires" in fields:
        expires = http_date(fields.get("expires"), date)
        # RFC 9111 §5.3: an invalid date, especially "0", is in the past
        return Lifetime(0 if expires is None else max(0, math.floor(expires - date)), "Expires")
    return None


def origin_lifetime(fields: Fields, date: float, policy: CachePolicy) -> Lifetime | None:
    """Return the lifetime that the origin gives, whatever a rule says; else as `explicit_lifetime`."""
    return explicit_lifetime(fields, date, response_directives(fields, policy.targeted_fields))


def freshness_lifetime(entry: StoredResponse, policy: CachePolicy) -> Lifetime:
    """Return the freshness lifetime of a stored response (RFC 9111 §4.2.1)."""
    directives, date = directives_of(entry, policy), date_of(entry)
    return explicit_lifetime(entry.head.fields, date, directives) or _heuristic_lifetime(entry, directives, policy)


def _heuristic_lifetime(entry: StoredResponse, directives: ResponseDirectives, policy: CachePolicy) -> Lifetime:
    none = Lifetime(0, "none")
    if entry.head.status not in HEURISTICALLY_CACHEABLE and not directives.public:  # RFC 9111 §4.2.2
        return none
    if "?" in entry.target and not policy.freshness.heuristic_query:
        return none
    fields = entry.head.fields
    # a response to credentials or with cookies is probably for one user only (RFC 9111 §7.3)
    if entry.personal or "set-cookie" in fields:
        return none
    # a response with Pragma: no-cache does not ask for any heuristic
    if "no-cache" in (fields.get("pragma") or "").lower() and "cache-control" not in fields:
        return none
    if seconds := lifetime_of_kind(entry.target, entry.head, policy):
        return Lifetime(seconds, "heuristic")
    modified = http_date(fields.get("last-modified"), entry.response_time)
    if modified is None:
        return none
    seconds = min(int((date_of(entry) - modified) * HEURISTIC_FRACTION), policy.freshness.heuristic_max)
    if entry.head.status >= 400:
        seconds = min(seconds, HEURISTIC_NEGATIVE_MAX)
    return Lifetime(max(0, seconds), "heuristic")


def lifetime_of_kind(target: str, head: Response, policy: CachePolicy) -> int:
    """Return the lifetime in seconds that the operator's rules give a response, or 0 if no rule matches.

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
    """Return the Age that a response was received with, in seconds: its first member, or None if that is invalid."""
    value = fields.get("age")
    # RFC 9111 §5.1: use the first member, ignore the others
    return delta_seconds(next(iter(members(value)), "")) if value else None


def current_age(entry: StoredResponse, policy: CachePolicy, now: float) -> float:
    """Return the age of a stored response in seconds, never negative (RFC 9111 §4.2.3)."""
    corrected = (received_age(entry.head.fields) or 0) + response_delay(entry)
    date = date_of(entry) if policy.freshness.conservative_age else None
    age = age_since_receipt(now, receipt_time(entry, policy), corrected, date)
    if is_from_future(entry, policy, now):
        return max(age, float(freshness_lifetime(entry, policy).seconds))  # how old it is is not known: just stale
    return age


def age_since_receipt(now: float, received_at: float, corrected: float, date: float | None) -> float:
    """Return the age of a response in seconds by the time of its receipt, never negative.

    All but one argument are in seconds since the epoch.

    Args:
        now: The time.
        received_at: When the response was received.
        corrected: The age with which it was received, the time that its origin took included; in seconds.
        date: Its Date, if that counts as well.
    """
    initial = corrected if date is None else max(corrected, received_at - date)
    return min(initial + max(0.0, now - received_at), float(MAX_SECONDS))


def receipt_time(entry: StoredResponse, policy: CachePolicy) -> float:
    """Return when the response was received by the clock as it is set now, in seconds since the epoch."""
    return entry.response_time - policy.freshness.clock.set_back_since(entry.clock)


def made_at(entry: StoredResponse) -> float:
    """Return when a response was made, in seconds since the epoch, by its request and the Age that it came with.

    `current_age` is the time since then, except for what Date, the clock and the settings add.
    """
    sent, fields = min(entry.request_time, entry.response_time), entry.head.fields
    # called for all that is stored, mostly without an Age: to look for that in an index of the fields would make one
    has_age = any(name.lower() == "age" for name, _ in fields.lines)
    return sent - (received_age(fields) or 0) if has_age else sent


def apparent_age(entry: StoredResponse, policy: CachePolicy) -> float:
    """Return the seconds from the response's Date to its receipt, never negative."""
    return max(0.0, receipt_time(entry, policy) - date_of(entry))


def response_delay(entry: StoredResponse) -> float:
    """Return the seconds that the origin took to respond, never negative."""
    return max(0.0, entry.response_time - entry.request_time)


def is_from_future(entry: StoredResponse, policy: CachePolicy, now: float) -> bool:
    """Return whether a response was received later than now: the clock was wrong then, or it is wrong now."""
    return receipt_time(entry, policy) > now + FUTURE_TOLERANCE


def time_to_live(entry: StoredResponse, policy: CachePolicy, now: float) -> int:
    """Return the remaining seconds of freshness, negative if stale: the `ttl` of Cache-Status (RFC 9211 §2.4)."""
    return math.floor(freshness_lifetime(entry, policy).seconds - current_age(entry, policy, now))


def is_fresh(entry: StoredResponse, policy: CachePolicy, now: float) -> bool:
    """Return whether the lifetime exceeds the age; if they are equal, the response is stale (RFC 9111 §4.2)."""
    return not entry.soft_purged and freshness_lifetime(entry, policy).seconds > current_age(entry, policy, now)


def overrides_origin(policy: CachePolicy) -> bool:
    """Return whether copies are sent, without a network, that their origin allows only after validation."""
    return policy.network.offline and policy.private.override_offline


def reason_to_validate(entry: StoredResponse, policy: CachePolicy) -> Detail | None:
    """Return why a stored response, fresh or stale, must be validated before every use, or None."""
    directives = directives_of(entry, policy)
    if entry.invalid:
        return Detail.INVALIDATED
    if directives.no_store and not directives.must_understand:  # it was stored for offline use only
        return Detail.RESPONSE_NO_STORE
    return Detail.RESPONSE_NO_CACHE if directives.no_cache else None  # RFC 9111 §5.2.2.4


def forbids_stale(entry: StoredResponse, policy: CachePolicy, *, outage: bool) -> bool:
    """Return whether this response, once stale, must not be used without validation, whatever allows stale responses.

    Its origin forbids it, or it may be personal and its origin gives it no lifetime. `outage`: its origin cannot be
    asked, so one user's cache uses personal responses.
    """
    is_own = outage and policy.private.is_for_one_user
    if entry.personal and not is_own and freshness_lifetime(entry, policy).seconds <= 0:
        return True
    directives = directives_of(entry, policy)
    # RFC 9111 §5.2.2.2, §5.2.2.4, §5.2.2.8; s-maxage has the same effect (§5.2.2.10), with no exception under §3.5
    may_be_stale = policy.freshness.s_maxage_allows_stale or directives.stale_by_rule
    shared = directives.s_maxage is not None and (entry.personal or not may_be_stale)
    revalidated = directives.must_revalidate or directives.proxy_revalidate or shared
    return revalidated or reason_to_validate(entry, policy) is not None


def stale_use(
    entry: StoredResponse, client_directives: RequestDirectives, policy: CachePolicy, now: float
) -> Detail | None:
    """Return what allows this stale response to be sent without validation, or None if nothing does."""
    if forbids_stale(entry, policy, outage=policy.network.offline):
        return Detail.OVERRIDE_OFFLINE if overrides_origin(policy) else None
    staleness = current_age(entry, policy, now) - freshness_lifetime(entry, policy).seconds
    if policy.network.offline and (
        not policy.network.disconnected or staleness <= policy.freshness.max_stale_disconnected
    ):
        return Detail.OFFLINE
    if client_directives.max_stale and staleness <= client_directives.max_stale:
        return Detail.MAX_STALE
    window = directives_of(entry, policy).stale_while_revalidate
    if window and staleness <= window:  # RFC 5861 §3
        return Detail.STALE_WHILE_REVALIDATE
    return None


def stale_use_after_error(
    entry: StoredResponse, client_directives: RequestDirectives, policy: CachePolicy, now: float
) -> Detail | None:
    """Return STALE_IF_ERROR if this stale response may be sent after a failed validation (RFC 5861 §4), else None."""
    if forbids_stale(entry, policy, outage=True):
        return None
    staleness = current_age(entry, policy, now) - freshness_lifetime(entry, policy).seconds
    allowed = max(directives_of(entry, policy).stale_if_error, client_directives.stale_if_error)
    return Detail.STALE_IF_ERROR if allowed and staleness <= allowed else None


def stale_use_when_disconnected(
    entry: StoredResponse, client_directives: RequestDirectives, policy: CachePolicy, now: float
) -> Detail | None:
    """Return what allows this response to be sent while the origin is unreachable (RFC 9111 §4.2.4), or None."""
    if forbids_stale(entry, policy, outage=True):
        return Detail.OVERRIDE_OFFLINE if policy.private.override_offline else None
    staleness = current_age(entry, policy, now) - freshness_lifetime(entry, policy).seconds
    if staleness <= policy.freshness.max_stale_disconnected:
        return stale_use_after_error(entry, client_directives, policy, now) or Detail.DISCONNECTED
    return stale_use_after_error(entry, client_directives, policy, now)


def usable_without_origin_until(
    entry: StoredResponse,
    client_directives: RequestDirectives,
    policy: CachePolicy,
    now: float,
    *,
    disconnected: bool,
) -> float:
    """Return the last time at which the two functions above allow a response, in seconds since the epoch.

    `disconnected`: the origin is unreachable, and does not only fail.
    """
    allowed = max(directives_of(entry, policy).stale_if_error, client_directives.stale_if_error)
    if disconnected:
        allowed = max(allowed, policy.freshness.max_stale_disconnected)
    return now + freshness_lifetime(entry, policy).seconds + allowed - current_age(entry, policy, now)
