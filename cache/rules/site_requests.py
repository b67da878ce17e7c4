"""Requests as the rules of a site change them: query, cookies and other fields.

The key and what the origin gets are made from the same changed request, so no client can make them differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.site_rules import NO_EFFECTS, CookieChange, Effects, QueryChange


def effects_of(request: Request, policy: CachePolicy) -> Effects:
    """Return what the rules of its site say about a request."""
    if policy.site_rules is None:
        return NO_EFFECTS
    rules = policy.site_rules.find(request.host)
    return NO_EFFECTS if rules is None else rules.effects(request.target)


def changed_request(request: Request, effects: Effects) -> Request:
    """Return the request as the rules change it."""
    if effects.cookies is not None or effects.request_fields is not None:
        request = request.with_fields(_changed_fields(request.fields, effects))
    if effects.query is not None and "?" in request.target:
        request = request.with_target(changed_target(request.target, effects.query), request.client)
    return request


def changed_target(target: str, change: QueryChange) -> str:
    """Return a request target with the parameters that are left, otherwise byte for byte as received.

    Only `&` separates parameters, and their names are compared as they are sent.
    """
    path, mark, query = target.partition("?")
    if not mark:
        return target
    parameters = query.split("&")
    kept = [each for each in parameters if _is_kept(each.partition("=")[0], change.keep, change.drop)]
    if change.sort:
        kept.sort(key=lambda parameter: parameter.partition("=")[0])
    return f"{path}?{'&'.join(kept)}" if kept else path


@lru_cache(maxsize=512)
def _changed_fields(fields: Fields, effects: Effects) -> Fields:
    if effects.cookies is not None and "cookie" in fields:
        fields = _with_cookies(fields, effects.cookies)
    if effects.request_fields is not None:
        change = effects.request_fields
        fields = fields.without([*change.remove, *(name for name, _ in change.set)]).appending(*change.set)
    return fields


def _with_cookies(fields: Fields, change: CookieChange) -> Fields:
    pairs = cookies(fields)
    kept = [pair for pair in pairs if _is_kept(name_of(pair), change.keep, change.strip)]
    if len(kept) == len(pairs):
        return fields
    return fields.replacing("Cookie", "; ".join(kept)) if kept else fields.without(["cookie"])


def cookies(fields: Fields) -> list[str]:
    """Return the cookies of a request, each as `name=value`."""
    return [pair for line in fields.all("cookie") for part in line.split(";") if (pair := part.strip(" \t"))]


def name_of(cookie: str) -> str:
    """Return the name of a cookie that is given as `name=value`."""
    return cookie.partition("=")[0].rstrip(" \t")


def cookie_names(fields: Fields) -> set[str]:
    """Return the names of the cookies of a request."""
    return {name_of(cookie) for cookie in cookies(fields)}


def cookie_values(fields: Fields, name: str) -> tuple[str, ...]:
    """Return the values of all cookies of that name, in order."""
    return tuple(pair.partition("=")[2] for pair in cookies(fields) if name_of(pair) == name)


def has_cookie(fields: Fields, patterns: Iterable[re.Pattern[str]]) -> bool:
    """Return whether a request has a cookie with such a name."""
    names = cookie_names(fields)
    return any(pattern.fullmatch(name) for pattern in patterns for name in names)


def _is_kept(name: str, keep: Sequence[re.Pattern[str]] | None, drop: Sequence[re.Pattern[str]]) -> bool:
    if keep is not None and not any(pattern.fullmatch(name) for pattern in keep):
        return False
    return not any(pattern.fullmatch(name) for pattern in drop)
