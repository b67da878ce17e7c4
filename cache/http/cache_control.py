"""Parsers for cache directives (RFC 9111 §5.2). How a cache obeys them is decided in `cache.rules`.

They are lenient: an argument may be a token or a quoted string; an argument of a directive that takes none is ignored;
a directive that is repeated with the same value counts once. Unknown directives are ignored (RFC 9111 §5.2.3).
"""

from __future__ import annotations

import math
from functools import lru_cache

from cache.http.fields import TOKEN, delta_seconds, has_open_quote, members, unquoted
from cache.http.messages import Fields
from cache.http.record import record
from cache.http.structured_fields import dictionary

NO_FIELDS: frozenset[str] = frozenset()


@record
class ResponseDirectives:
    """Response directives (RFC 9111 §5.2.2, RFC 5861, RFC 8246). Times are in seconds."""

    source: str = "cache-control"
    """Name of the field that they are from, in lower case (RFC 9213 §2.2)."""
    max_age: int | None = None
    """0 if it is malformed, or repeated with another value (RFC 9111 §4.2.1)."""
    s_maxage: int | None = None
    """For shared caches only; overrides `max_age` (RFC 9111 §5.2.2.10)."""
    no_store: bool = False
    no_cache: bool = False
    no_cache_fields: frozenset[str] = NO_FIELDS
    """Fields that qualify no-cache: they must not be sent without validation."""
    private: bool = False
    private_fields: frozenset[str] = NO_FIELDS
    """Fields that qualify private: they must not be stored."""
    public: bool = False
    """May be stored even if its status code or its request would forbid it (RFC 9111 §5.2.2.9)."""
    must_revalidate: bool = False
    proxy_revalidate: bool = False
    must_understand: bool = False
    immutable: bool = False
    stale_while_revalidate: int = 0
    stale_if_error: int = 0
    broken: bool = False
    """A quoted string in the value has no end, so the rest is unknown; the response counts as stale."""
    by_rule: int | None = None
    """The lifetime that a rule of the operator gives the response, whatever the origin says."""
    rule: str = ""
    """The name of that rule."""
    stale_by_rule: bool = False
    """A rule of the operator says for how long the response may be used stale."""


@record
class RequestDirectives:
    """Request directives (RFC 9111 §5.2.1). Times are in seconds."""

    max_age: int | None = None
    min_fresh: int = 0
    max_stale: float = 0
    """Infinite if any staleness is accepted."""
    stale_if_error: int = 0
    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False


Arguments = dict[str, list[str | None]]
"""The arguments of each directive, one for each time that it occurs: None if it has none."""

_MALFORMED = "\0"


@lru_cache(maxsize=512)
def response_directives(fields: Fields, targeted_fields: tuple[str, ...] = ()) -> ResponseDirectives:
    """Return the directives of the first targeted field that is present and valid, else those of Cache-Control."""
    for name in targeted_fields:
        if (value := fields.get(name)) and (targeted := _targeted(name, value)):
            return targeted
    return _response_directives(fields.get("cache-control") or "")


def is_shareable_if_authorized(directives: ResponseDirectives) -> bool:
    """Return whether a response to a request with Authorization may be shared (RFC 9111 §3.5)."""
    return directives.public or directives.s_maxage is not None or directives.must_revalidate


@lru_cache(maxsize=1024)
def _response_directives(value: str) -> ResponseDirectives:
    arguments, broken = _parse(value)
    return _directives_from(arguments, "cache-control", broken=broken)


def _directives_from(arguments: Arguments, source: str, *, broken: bool = False) -> ResponseDirectives:
    no_cache_fields, private_fields = _field_names(arguments, "no-cache"), _field_names(arguments, "private")
    return ResponseDirectives(
        source=source,
        max_age=_lifetime(arguments, "max-age"),
        s_maxage=_lifetime(arguments, "s-maxage"),
        no_store="no-store" in arguments,
        no_cache="no-cache" in arguments and not no_cache_fields,
        no_cache_fields=no_cache_fields,
        private="private" in arguments and not private_fields,
        private_fields=private_fields,
        public="public" in arguments,
        must_revalidate="must-revalidate" in arguments,
        proxy_revalidate="proxy-revalidate" in arguments,
        must_understand="must-understand" in arguments,
        immutable="immutable" in arguments,
        stale_while_revalidate=_lifetime(arguments, "stale-while-revalidate") or 0,
        stale_if_error=_lifetime(arguments, "stale-if-error") or 0,
        broken=broken,
    )


@lru_cache(maxsize=1024)
def _request_directives(value: str) -> RequestDirectives:
    arguments, _ = _parse(value)
    max_age, min_fresh = _seconds(arguments, "max-age"), _seconds(arguments, "min-fresh")
    max_stale: float = 0
    if "max-stale" in arguments:
        max_stale = math.inf if arguments["max-stale"] == [None] else _seconds(arguments, "max-stale") or 0
    # An unreadable limit is applied at its strictest: the response must be validated
    unreadable = ("max-age" in arguments and max_age is None) or ("min-fresh" in arguments and min_fresh is None)
    return RequestDirectives(
        max_age=max_age,
        min_fresh=min_fresh or 0,
        max_stale=max_stale,
        stale_if_error=_seconds(arguments, "stale-if-error") or 0,
        no_cache="no-cache" in arguments or unreadable,
        no_store="no-store" in arguments,
        only_if_cached="only-if-cached" in arguments,
    )


@lru_cache(maxsize=512)
def request_directives(fields: Fields) -> RequestDirectives:
    """Return the directives of a request. `Pragma: no-cache` counts only if there is no Cache-Control."""
    value = fields.get("cache-control")
    if value is None and "no-cache" in _parse(fields.get("pragma") or "")[0]:  # RFC 9111 §5.4
        value = "no-cache"
    return _request_directives(value or "")


def _parse(value: str) -> tuple[Arguments, bool]:
    """Return the arguments by directive name in lower case, and whether a quoted string has no end."""
    arguments: Arguments = {}
    for member in members(value):
        if has_open_quote(member):
            return arguments, True
        name, equals, argument = member.partition("=")
        lower = name.strip(" \t").lower()
        if not TOKEN.fullmatch(lower):
            continue
        # White space beside the equals sign: the directive counts, its argument is malformed
        spaced = name != name.rstrip(" \t") or argument != argument.lstrip(" \t")
        text = (unquoted(argument) if argument.startswith('"') else argument) if equals else None
        arguments.setdefault(lower, []).append(_MALFORMED if spaced else text)
    return arguments, False


def _seconds(arguments: Arguments, name: str) -> int | None:
    """Return the seconds of a directive. None if they are malformed, or if the directive is repeated with others."""
    values = set(arguments.get(name, ()))
    return delta_seconds(values.pop() or "") if len(values) == 1 else None


def _lifetime(arguments: Arguments, name: str) -> int | None:
    """Return the seconds of a directive: 0 if malformed or contradictory, None if the directive is absent."""
    return (_seconds(arguments, name) or 0) if name in arguments else None


def _field_names(arguments: Arguments, name: str) -> frozenset[str]:
    """Return the field names that qualify a directive; empty if it also occurs without any."""
    values = ["" if value == _MALFORMED else value or "" for value in arguments.get(name, [])]
    names = [frozenset(member.lower() for member in members(value)) for value in values]
    return frozenset().union(*names) if all(names) else NO_FIELDS


@lru_cache(maxsize=256)
def _targeted(field: str, value: str) -> ResponseDirectives | None:
    """Return the directives of a targeted field, or None if it is invalid (RFC 9213 §2.1)."""
    parsed = dictionary(value)
    if not parsed:
        return None
    arguments: Arguments = {}
    for name, member in parsed.items():
        types = _TARGETED_TYPES.get(name)
        argument = member[0] if isinstance(member, tuple) else None
        if types is None or argument is False:
            continue
        # RFC 9213 §2.1: a value of the wrong type makes the whole field invalid
        if type(argument) not in types or (type(argument) is int and argument < 0):
            return None
        arguments[name] = [None if argument is True else str(argument)]
    return _directives_from(arguments, field)


_FLAG, _SECONDS, _QUALIFIED = (bool,), (int,), (bool, str)
_TARGETED_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"), _SECONDS),
    **dict.fromkeys(("no-store", "public", "must-revalidate", "proxy-revalidate"), _FLAG),
    **dict.fromkeys(("must-understand", "no-transform", "immutable"), _FLAG),
    **dict.fromkeys(("no-cache", "private"), _QUALIFIED),
}
