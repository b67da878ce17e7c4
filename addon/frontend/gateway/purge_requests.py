"""Requests to purge, in the forms that the clients of other caches send, as orders.

They are those of FOSHttpCache, Drupal's Varnish purger, Magento, API Platform and WordPress plug-ins, which are made
for Varnish, and those of Fastly and Souin. Such a client takes the edge for one of these caches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from addon.frontend.gateway.simple_regex import UnsupportedPattern, member_patterns_of, patterns_of
from addon.pipeline.purge_orders import PurgeOrder, keys_of, normalised_target, tag_scopes
from cache.http.messages import DEFAULT_PORTS, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.methods import PURGES
from cache.rules.tags import names_in
from cache.stores.purge_scopes import ALL, WILD, Conditions, Scope, host_name, literal, url_name, where

_TAG_LISTS = (
    "xkey",
    "xkey-purge",
    "surrogate-key",
    "cache-tag",
    "cache-tags",
    "x-cache-tags",
    "purge-cache-tags",
    "edge-cache-tag",
)
_SOFT_TAG_LISTS = ("xkey-soft", "xkey-softpurge")
_TAG_PATTERNS = ("x-magento-tags-pattern", "apiplatform-ban-regex")
_WORDS = re.compile(r"[^\\^$*+?()\[\]{}]+")
_SEPARATORS = re.compile(r"[\s,|]+")

# What their authors mean: whole tags. Varnish, which knows no tags, would take "a" for the end of "data" as well
_MEANT_AS_WHOLE = re.compile(r"\((.*)\)(?:\(,\.\+\)\?\$|\(\$\|\\?,\))")

_FASTLY = re.compile(r"/service/[^/?]+/(?:purge/(?P<key>[^/?]+)|(?P<all>purge_all)|purge/?)")
_SOUIN = re.compile(r"/souin-api/souin(?:/(?P<what>.*))?")


def is_purge(method: str, target: str, names: Iterable[str]) -> bool:
    """Return whether a request is one to purge, by its method, its target and the lower-case names of its fields."""
    if method in PURGES:
        return True
    # Fastly's own interface, which is known by its key
    return method == "POST" and "fastly-key" in names and _FASTLY.fullmatch(target.partition("?")[0]) is not None


def order_in(request: Request, ports: Iterable[int], policy: CachePolicy, by: str) -> PurgeOrder:
    """Return the order that a request to purge is.

    Args:
        request: The request, as received.
        ports: The ports by which clients reach the edge: copies of a URL may be stored for each.
        policy: The policy; by its site rules, URLs become keys.
        by: Who has sent it.

    Raises:
        ValueError: it cannot be understood. The text is a sentence for the client.
    """
    fields = request.fields
    soft = fields.get("fastly-soft-purge") in ("1", "true") or any(name in fields for name in _SOFT_TAG_LISTS)
    scopes = (_scopes_of_tags(request) if request.method != "BAN" else None) or _scopes(request, ports, policy)
    line = f"{request.method} {request.uri}"
    named = [f"{name}: {value}" for name, value in fields if name.lower() in _NAMED]
    return PurgeOrder(tuple(replace(scope, soft=soft) for scope in scopes), " ".join([line, *named])[:4096], by)


def _scopes_of_tags(request: Request) -> list[Scope] | None:
    """Return the scopes of the tags that a request lists, or None if it lists none."""
    lists = [value for name in (*_TAG_LISTS, *_SOFT_TAG_LISTS) for value in request.fields.all(name)]
    if not lists:
        return None
    return tag_scopes(list(dict.fromkeys(tag for value in lists for tag in names_in(value))))


def _scopes(request: Request, ports: Iterable[int], policy: CachePolicy) -> list[Scope]:
    path = request.target.partition("?")[0]
    if request.method in ("BAN", "URIBAN"):
        return _banned(request)
    if request.method == "POST" and (fastly := _FASTLY.fullmatch(path)) is not None:
        if fastly["all"]:
            return [Scope(ALL)]
        if not fastly["key"]:
            raise ValueError("The request names no tags. The field Surrogate-Key has them.")
        return tag_scopes([fastly["key"]])
    if request.method in ("PURGEKEYS", "PURGETAGS"):
        raise ValueError(f"The request names no tags, in a field like {', '.join((*_SOFT_TAG_LISTS, 'X-Cache-Tags'))}.")
    if (pattern := request.fields.get("x-magento-tags-pattern")) is not None:
        return _where(Conditions(), [pattern])
    if (souin := _SOUIN.fullmatch(path)) is not None:
        return _souin(souin["what"] or "")
    if request.fields.get("clear-cache") == "true":
        return [Scope(ALL)]
    return _of_target(request, ports, policy)


def _souin(what: str) -> list[Scope]:
    if not what:
        raise ValueError("The request names neither tags in Surrogate-Key nor a pattern for URLs.")
    return [Scope(ALL)] if what == "flush" else _where(Conditions(urls=patterns_of(what)), [])


def _of_target(request: Request, ports: Iterable[int], policy: CachePolicy) -> list[Scope]:
    """Return the scopes of the target of PURGE: a regular expression, a prefix that ends with `*`, or a URL."""
    target = re.sub(r"[?&]vhp-regex$", "", request.target)  # how Proxy Cache Purge asks for all
    how = (request.fields.get("x-purge-method") or "").lower()
    if how == "regex" or (not how and target.endswith(".*")):
        return [_on_host(request, patterns_of(f"^{target}"))]
    if target.endswith("*"):
        return [_on_host(request, (literal(normalised_target(target[:-1])) + "*",))]
    places = [
        (scheme, port)
        for scheme, default in DEFAULT_PORTS.items()
        for port in dict.fromkeys([default, request.port, *ports])
    ]
    found = dict.fromkeys(
        key for scheme, port in places for key in keys_of(replace(request, scheme=scheme, port=port), policy)
    )
    return [Scope(url_name(key)) for key in found]


def _on_host(request: Request, targets: tuple[str, ...]) -> Scope:
    if targets in (("/*",), ("*",)):
        return Scope(host_name(request.host))
    return where(Conditions(hosts=(literal(request.host),), targets=targets))


# ---- BAN: regular expressions in fields


def _banned(request: Request) -> list[Scope]:
    fields = request.fields
    hosts, targets, types = (
        [value for name in names for value in fields.all(name)]
        for names in (("x-host", "x-ban-host"), ("x-url", "x-ban-url"), ("x-content-type",))
    )
    tags = [value for name in (*_TAG_LISTS, *_SOFT_TAG_LISTS, *_TAG_PATTERNS) for value in fields.all(name)]
    if not (hosts or targets or types or tags):
        target = request.target if request.method == "BAN" else f"^{request.target}"
        return [_on_host(request, patterns_of(target))]
    lower = [host.lower() for host in hosts]
    return _where(Conditions(hosts=_all(lower), targets=_all(targets), types=_all(types)), tags)


def _all(expressions: list[str]) -> tuple[str, ...]:
    """Return the patterns for an expression, or none if there is no expression, or one that matches everything."""
    if len(expressions) > 1:
        raise ValueError("The request has a field with a pattern twice.")
    patterns = patterns_of(expressions[0]) if expressions else ("*",)
    return () if "*" in patterns else patterns


def _where(conditions: Conditions, tags: list[str]) -> list[Scope]:
    """Return the scopes of what meets conditions, and has a tag that these expressions match."""
    if len(tags) > 1:
        raise ValueError("The request has several patterns for tags.")
    patterns = _tag_patterns(tags[0]) if tags else ()
    if conditions == Conditions():
        if not patterns:
            return [Scope(ALL)]
        if not any(map(WILD.search, patterns)):
            return tag_scopes(patterns)
    return [where(msgspec.structs.replace(conditions, tags=patterns))]


def _tag_patterns(expression: str) -> tuple[str, ...]:
    """Return the patterns for tags; none if the expression matches any response."""
    if _WORDS.fullmatch(expression):  # a list of tags, as Drupal sends it
        return tuple(literal(word) for word in _SEPARATORS.split(expression) if word)
    if (whole := _MEANT_AS_WHOLE.fullmatch(expression)) is not None:
        try:
            return member_patterns_of(f"^({whole[1]})$")
        except UnsupportedPattern:  # its first parenthesis does not belong to its last
            pass
    return member_patterns_of(expression)


_NAMED = frozenset(
    {*_TAG_LISTS, *_SOFT_TAG_LISTS, *_TAG_PATTERNS, "x-host", "x-url", "x-ban-host", "x-ban-url", "x-content-type"}
    | {"x-purge-method", "fastly-soft-purge"}
)
