"""Parsers for cache directives (RFC 9111 §5.2). How a cache obeys them is decided in `cache.rules`.

They are lenient: an argument may be a token or a quoted string; an argument of a directive that takes none is ignored;
a directive that is repeated with the same value counts once. Unknown directives are ignored (RFC 9111 §5.2.3).

The directives of a malformed member, as in `no-store; x` or `max-age=60 private`, count where they restrict storing
or use. They permit nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
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
    unreadable: frozenset[str] = NO_FIELDS
    """Those of s-maxage and must-revalidate that are malformed: they restrict, but do not let a response be shared."""


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
"""The argument of a directive in a malformed member."""

_DIRECTIVE = re.compile(rf"({TOKEN.pattern})(?:=(.+))?", re.DOTALL)
# A malformed member is read as if white space and other separators began a new one
_NAME_IN_MALFORMED = re.compile(rf"(?<![^\s;,\"]){TOKEN.pattern}")


@lru_cache(maxsize=512)
def response_directives(fields: Fields, targeted_fields: tuple[str, ...] = ()) -> ResponseDirectives:
    """Return the directives of the first targeted field that is present and valid, else those of Cache-Control."""
    invalid: list[ResponseDirectives] = []
    for name in targeted_fields:
        if value := fields.get(name):
            if targeted := _targeted(name, value):
                return _restricted(targeted, invalid)
            invalid.append(_response_directives(value))
    return _restricted(_response_directives(fields.get("cache-control") or ""), invalid)


def _restricted(directives: ResponseDirectives, invalid: list[ResponseDirectives]) -> ResponseDirectives:
    """Return directives with the restrictions that targeted fields name which are invalid and otherwise ignored."""
    for other in invalid:
        no_cache = directives.no_cache or other.no_cache or bool(other.no_cache_fields)
        private = directives.private or other.private or bool(other.private_fields)
        directives = replace(
            directives,
            no_store=directives.no_store or other.no_store,
            no_cache=no_cache,
            no_cache_fields=NO_FIELDS if no_cache else directives.no_cache_fields,
            private=private,
            private_fields=NO_FIELDS if private else directives.private_fields,
            must_revalidate=directives.must_revalidate or other.must_revalidate,
            proxy_revalidate=directives.proxy_revalidate or other.proxy_revalidate,
            must_understand=directives.must_understand and not other.no_store,
            unreadable=directives.unreadable
            | ({"must-revalidate"} if other.must_revalidate and not directives.must_revalidate else NO_FIELDS),
        )
    return directives


def is_for_all(directives: ResponseDirectives) -> bool:
    """Return whether public or s-maxage says that a response is for all users."""
    return directives.public or (directives.s_maxage is not None and "s-maxage" not in directives.unreadable)


def is_shareable_if_authorized(directives: ResponseDirectives) -> bool:
    """Return whether a response to a request with Authorization may be shared (RFC 9111 §3.5)."""
    must_revalidate = directives.must_revalidate and "must-revalidate" not in directives.unreadable
    return is_for_all(directives) or must_revalidate


def malformed_members(value: str) -> list[str]:
    """Return the members of a Cache-Control field value that are no directive."""
    return [member for member in members(value) if _directive(member) is None]


@lru_cache(maxsize=1024)
def _response_directives(value: str) -> ResponseDirectives:
    arguments, broken = _parse(value)
    return _directives_from(arguments, "cache-control", broken=broken)


def _directives_from(arguments: Arguments, source: str, *, broken: bool = False) -> ResponseDirectives:
    no_cache_fields, private_fields = _field_names(arguments, "no-cache"), _field_names(arguments, "private")
    no_store = "no-store" in arguments
    # must-understand restricts alone, but with no-store it lets the response be stored
    understand = _is_readable(arguments, "must-understand") or ("must-understand" in arguments and not no_store)
    is_readable = {
        "s-maxage": _seconds(arguments, "s-maxage") is not None,
        "must-revalidate": _is_readable(arguments, "must-revalidate"),
    }
    return ResponseDirectives(
        source=source,
        max_age=_lifetime(arguments, "max-age"),
        s_maxage=_lifetime(arguments, "s-maxage"),
        no_store=no_store,
        no_cache="no-cache" in arguments and not no_cache_fields,
        no_cache_fields=no_cache_fields,
        private="private" in arguments and not private_fields,
        private_fields=private_fields,
        public=_is_readable(arguments, "public"),
        must_revalidate="must-revalidate" in arguments,
        proxy_revalidate="proxy-revalidate" in arguments,
        must_understand=understand,
        immutable=_is_readable(arguments, "immutable"),
        stale_while_revalidate=_lifetime(arguments, "stale-while-revalidate") or 0,
        stale_if_error=_lifetime(arguments, "stale-if-error") or 0,
        broken=broken,
        unreadable=frozenset(name for name in arguments if not is_readable.get(name, True)),
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
    broken = False
    for member in members(value):
        directive = _directive(member)
        if directive is not None:
            name, argument = directive
            arguments.setdefault(name, []).append(argument)
            continue
        broken = broken or has_open_quote(member)
        for name in _NAME_IN_MALFORMED.findall(member):
            arguments.setdefault(name.lower(), []).append(_MALFORMED)
    return arguments, broken


def _directive(member: str) -> tuple[str, str | None] | None:
    """Return the name in lower case and the argument of a directive, or None if the member is malformed."""
    match = _DIRECTIVE.fullmatch(member)
    if match is None:
        return None
    name, argument = match[1].lower(), match[2]
    if argument is None or TOKEN.fullmatch(argument):
        return name, argument
    text = unquoted(argument)
    return None if text is None else (name, text)


def _is_readable(arguments: Arguments, name: str) -> bool:
    """Return whether a directive occurs in a member that is not malformed."""
    return any(argument != _MALFORMED for argument in arguments.get(name, ()))


def _seconds(arguments: Arguments, name: str) -> int | None:
    """Return the seconds of a directive. None if they are malformed, or if the directive is repeated with others."""
    values = set(arguments.get(name, ()))
    return delta_seconds(values.pop() or "") if len(values) == 1 else None


def _lifetime(arguments: Arguments, name: str) -> int | None:
    """Return the seconds of a directive: 0 if malformed or contradictory, None if the directive is absent."""
    return (_seconds(arguments, name) or 0) if name in arguments else None


def _field_names(arguments: Arguments, name: str) -> frozenset[str]:
    """Return the field names that qualify a directive; empty if it also occurs without any, or with other text."""
    values = [frozenset(member.lower() for member in members(value or "")) for value in arguments.get(name, [])]
    names = frozenset[str]().union(*values)
    # What cannot be the name of a field qualifies nothing
    return names if all(values) and all(map(TOKEN.fullmatch, names)) else NO_FIELDS


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
