"""Which fields of a response are written down (RFC 9111 §3.1)."""

from __future__ import annotations

from functools import lru_cache

from cache.http.cache_control import response_directives
from cache.http.field_table import end_to_end, row
from cache.http.fields import http_date, imf_date
from cache.http.messages import Fields, Received
from cache.policy.cache_policy import CachePolicy
from cache.policy.rules import SetCookie

COOKIES = frozenset({"set-cookie", "set-cookie2"})


def storable_fields(received: Received, policy: CachePolicy) -> Fields:
    """Return the fields that go into the stored head, a readable Date among them (RFC 9111 §3.1)."""
    return dated(kept(received.head.fields, policy), received.response_time)


def kept(fields: Fields, policy: CachePolicy) -> Fields:
    """Return what of an origin's fields may be written down."""
    return _kept(fields, policy.targeted_fields, _left_out(policy))


def left_out(fields: Fields, policy: CachePolicy) -> tuple[tuple[str, str], ...]:
    """Return the lines that only the operator, and no rule of caching, wants not to be written down."""
    names = _left_out(policy)
    return tuple(line for line in fields if line[0].lower() in names)


def _left_out(policy: CachePolicy) -> frozenset[str]:
    return policy.private.secrets | COOKIES if policy.storing.set_cookie is SetCookie.STRIP else policy.private.secrets


@lru_cache(maxsize=512)
def _kept(fields: Fields, targeted_fields: tuple[str, ...], left_out: frozenset[str]) -> Fields:
    fields = end_to_end(fields)
    unstorable = {name for name, _ in fields if not row(name).stored}
    unstorable |= response_directives(fields, targeted_fields).private_fields
    return fields.without(unstorable | left_out)


def dated(fields: Fields, response_time: float) -> Fields:
    """Return the fields with a readable Date: the time of receipt if there was none (RFC 9110 §6.6.1)."""
    if http_date(fields.get("date"), response_time) is not None:
        return fields
    return fields.replacing("Date", imf_date(response_time))
