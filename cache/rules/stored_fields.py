"""The fields of a response that are stored (RFC 9111 §3.1)."""

from __future__ import annotations

from functools import lru_cache

from cache.http.cache_control import response_directives
from cache.http.field_table import end_to_end, row
from cache.http.fields import http_date, imf_date
from cache.http.messages import Fields, Received
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import SetCookie

COOKIE_FIELDS = frozenset({"set-cookie", "set-cookie2"})


def sets_cookies(fields: Fields) -> bool:
    """Return whether a response sets cookies."""
    return not COOKIE_FIELDS.isdisjoint(fields.names())


def storable_fields(received: Received, policy: CachePolicy) -> Fields:
    """Return the fields of the stored head, with a valid Date (RFC 9111 §3.1)."""
    return with_date(without_unstorable(received.head.fields, policy), received.response_time)


def without_unstorable(fields: Fields, policy: CachePolicy) -> Fields:
    """Return an origin's fields without those that must not be stored."""
    return _without_unstorable(fields, policy.targeted_fields, _withheld_names(policy))


def withheld_lines(fields: Fields, policy: CachePolicy) -> tuple[tuple[str, str], ...]:
    """Return the lines that are not stored because of the operator's settings, not because of a caching rule."""
    names = _withheld_names(policy)
    return tuple(line for line in fields if line[0].lower() in names)


def _withheld_names(policy: CachePolicy) -> frozenset[str]:
    secrets = policy.private.secrets
    return secrets if policy.storing.set_cookie is SetCookie.STORE else secrets | COOKIE_FIELDS


@lru_cache(maxsize=512)
def _without_unstorable(fields: Fields, targeted_fields: tuple[str, ...], withheld: frozenset[str]) -> Fields:
    fields = end_to_end(fields)
    unstorable = {name for name, _ in fields if not row(name).stored}
    unstorable |= response_directives(fields, targeted_fields).private_fields
    return fields.without(unstorable | withheld)


def with_date(fields: Fields, response_time: float) -> Fields:
    """Return the fields with a valid Date: the time of receipt if there is none (RFC 9110 §6.6.1)."""
    if http_date(fields.get("date"), response_time) is not None:
        return fields
    return fields.replacing("Date", imf_date(response_time))
