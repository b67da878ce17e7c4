"""Cache directives (RFC 9111 §5.2), parsed once into typed records. Judgement is elsewhere.

Leniencies: known directives take tokens and quoted strings alike; an argument on a directive that takes none is
ignored; a directive given twice with the same value counts once. Unknown ones are passed over (RFC 9111 §5.2.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from cache.http.fields import QUOTED_STRING, TOKEN, delta_seconds, members, unquoted
from cache.http.messages import Fields
from cache.http.structured_fields import dictionary

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ResponseDirectives:
    """What the origin says about caching (RFC 9111 §5.2.2, RFC 5861, RFC 8246). Times are seconds."""

    source: str = "cache-control"
    """The field that decided, in lower case (RFC 9213 §2.2)."""
    max_age: int | None = None
    """0 if malformed or contradicted by a second one (RFC 9111 §4.2.1)."""
    s_maxage: int | None = None
    """Of shared caches alone, over `max_age` (RFC 9111 §5.2.2.10)."""
    no_store: bool = False
    no_cache: bool = False
    no_cache_fields: frozenset[str] = NOTHING
    """Qualified no-cache: fields that may not be sent without validation."""
    private: bool = False
    private_fields: frozenset[str] = NOTHING
    """Qualified private: fields that may not be stored."""
    public: bool = False
    """May be stored although its code or its request would forbid it (RFC 9111 §5.2.2.9)."""
    must_revalidate: bool = False
    proxy_revalidate: bool = False
    must_understand: bool = False
    immutable: bool = False
    stale_while_revalidate: int = 0
    stale_if_error: int = 0
    broken: bool = False
    """The value could not be read to its end; the response counts as stale."""


@dataclass(frozen=True, slots=True)
class RequestDirectives:
    """What the client asks of a cache (RFC 9111 §5.2.1). Times are seconds."""

    max_age: int | None = None
    min_fresh: int = 0
    max_stale: float = 0
    """Infinite where any staleness will do."""
    stale_if_error: int = 0
    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False


Arguments = dict[str, list[str | None]]
_MALFORMED = "\0"


@lru_cache(maxsize=512)
def response_directives(fields: Fields, targeted_fields: tuple[str, ...] = ()) -> ResponseDirectives:
    """Return the directives that apply: of the first targeted field that is valid, else of Cache-Control."""
    for name in targeted_fields:
        if (value := fields.get(name)) and (targeted := _targeted(name, value)):
            return targeted
    return _response_directives(fields.get("cache-control") or "")


def shareable_although_authorized(directives: ResponseDirectives) -> bool:
    """Tell whether a response may be shared although its request bore Authorization (RFC 9111 §3.5)."""
    return directives.public or directives.s_maxage is not None or directives.must_revalidate


@lru_cache(maxsize=1024)
def _response_directives(value: str) -> ResponseDirectives:
    arguments, broken = _parse(value)
    return _interpreted(arguments, "cache-control", broken=broken)


def _interpreted(arguments: Arguments, source: str, *, broken: bool = False) -> ResponseDirectives:
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
    max_age, min_fresh = _single(arguments, "max-age"), _single(arguments, "min-fresh")
    max_stale: float = 0
    if "max-stale" in arguments:
        max_stale = math.inf if arguments["max-stale"] == [None] else _single(arguments, "max-stale") or 0
    # a limit that cannot be read is taken at its strictest
    unreadable = ("max-age" in arguments and max_age is None) or ("min-fresh" in arguments and min_fresh is None)
    return RequestDirectives(
        max_age=max_age,
        min_fresh=min_fresh or 0,
        max_stale=max_stale,
        stale_if_error=_single(arguments, "stale-if-error") or 0,
        no_cache="no-cache" in arguments or unreadable,
        no_store="no-store" in arguments,
        only_if_cached="only-if-cached" in arguments,
    )


@lru_cache(maxsize=512)
def request_directives(fields: Fields) -> RequestDirectives:
    """Return what the client asks; `Pragma: no-cache` counts only where there is no Cache-Control at all."""
    value = fields.get("cache-control")
    if value is None and "no-cache" in _parse(fields.get("pragma") or "")[0]:  # RFC 9111 §5.4
        value = "no-cache"
    return _request_directives(value or "")


def _parse(value: str) -> tuple[Arguments, bool]:
    """Return each directive's arguments by lower-case name, and whether a quoted string never ended."""
    arguments: Arguments = {}
    for member in members(value):
        if '"' in QUOTED_STRING.sub("", member):
            return arguments, True
        name, equals, argument = member.partition("=")
        lower = name.strip(" \t").lower()
        if not TOKEN.fullmatch(lower):
            continue
        # white space beside the equals sign: known name, useless argument
        crooked = name != name.rstrip(" \t") or argument != argument.lstrip(" \t")
        text = (unquoted(argument) if argument.startswith('"') else argument) if equals else None
        arguments.setdefault(lower, []).append(_MALFORMED if crooked else text)
    return arguments, False


def _single(arguments: Arguments, name: str) -> int | None:
    """Return a directive's seconds if every occurrence says the same readable number."""
    values = set(arguments.get(name, ()))
    return delta_seconds(values.pop() or "") if len(values) == 1 else None


def _lifetime(arguments: Arguments, name: str) -> int | None:
    """Return seconds; 0 where the directive is there but unreadable or contradicts itself; None if absent."""
    return (_single(arguments, name) or 0) if name in arguments else None


def _field_names(arguments: Arguments, name: str) -> frozenset[str]:
    """Return the field names a directive is qualified by; empty if it stands unqualified anywhere."""
    listed = arguments.get(name, [])
    named = ["" if value == _MALFORMED else value or "" for value in listed]
    names = [frozenset(member.lower() for member in members(value)) for value in named]
    return frozenset().union(*names) if all(names) else NOTHING


@lru_cache(maxsize=256)
def _targeted(field: str, value: str) -> ResponseDirectives | None:
    """Return the directives of a targeted field, or None if it is not valid (RFC 9213 §2.1)."""
    found = dictionary(value)
    if not found:
        return None
    arguments: Arguments = {}
    for name, member in found.items():
        kind = _TARGETED_TYPES.get(name)
        value_of = member[0] if isinstance(member, tuple) else None
        if kind is None or value_of is False:
            continue
        # RFC 9213 §2.1: a value of the wrong type; the whole field is then not to be trusted
        if type(value_of) not in kind or (type(value_of) is int and value_of < 0):
            return None
        arguments[name] = [None if value_of is True else str(value_of)]
    return _interpreted(arguments, field)


_FLAG, _SECONDS, _QUALIFIED = (bool,), (int,), (bool, str)
_TARGETED_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"), _SECONDS),
    **dict.fromkeys(("no-store", "public", "must-revalidate", "proxy-revalidate"), _FLAG),
    **dict.fromkeys(("must-understand", "no-transform", "immutable"), _FLAG),
    **dict.fromkeys(("no-cache", "private"), _QUALIFIED),
}
