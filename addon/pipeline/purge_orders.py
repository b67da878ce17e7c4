"""Orders to purge: what people and programs ask for, as scopes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from addon.pipeline.request_key import keyed_request
from cache.http.host_table import ANY_HOST, WILDCARD
from cache.http.messages import DEFAULT_PORTS, Request, normalised_host
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import ascii_uri, in_ascii, keys, primary_key, request_for
from cache.rules.tags import MAX_TAG
from cache.stores.purge_scopes import ALL, WILD, Conditions, Scope, host_name, literal, tag_name, url_name, where

MAX_TAGS_AT_ONCE = 1000
"""Tags in one order."""

EXPECTED = 'expected one of "url", "prefix", "pattern", "host", "site", "tag", "tags" and "all"'

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ORIGIN = re.compile(r"(?P<scheme>[^/:]+)://(?P<host>[^/]*?)(?P<port>:[0-9]*)?(?=/|$)")
"""The beginning of a pattern for URLs, up to the path."""
_NO_HOST = re.compile(r"[/?#@*\s]|:$")
_PORT = re.compile(r"[^:]:[0-9]+$")

type Sites = Sequence[Sequence[str]]
"""The host patterns of each site."""


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """An order to purge."""

    scopes: tuple[Scope, ...]
    what: str
    """The description of what is purged, for the log."""
    by: str
    """The person or the client that has given the order."""
    dry_run: bool = False
    """Only say what would be purged."""

    @property
    def soft(self) -> bool:
        """True if copies become stale, and are not deleted."""
        return self.scopes[0].soft


def order_of(arguments: Mapping[str, object], policy: CachePolicy, sites: Sites) -> PurgeOrder:
    """Return the order that arguments in the form of JSON describe.

    Args:
        arguments: One of `url`, `prefix`, `pattern`, `host`, `site`, `tag` (texts), `tags` (a list of texts) and `all`
            (true); perhaps `soft` and `dry_run` (true or false), and `by` (a text).
        policy: The policy; by its site rules, URLs become keys.
        sites: The sites that `site` may name.

    Raises:
        ValueError: the text says what was expected.
    """
    given = {name: value for name, value in arguments.items() if value not in (None, False)}
    soft, dry_run, by = given.pop("soft", False) is True, given.pop("dry_run", False) is True, given.pop("by", "")
    if len(given) != 1:
        raise ValueError(EXPECTED)
    [(kind, value)] = given.items()
    scopes = tuple(replace(scope, soft=soft) for scope in _scopes(kind, value, policy, sites))
    named = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return PurgeOrder(scopes, kind if value is True else f"{kind} {named}", str(by), dry_run)


def _scopes(kind: str, value: object, policy: CachePolicy, sites: Sites) -> list[Scope]:
    match kind, value:
        case "all", True:
            return [Scope(ALL)]
        case "tags", list():
            return tag_scopes([tag for tag in value if isinstance(tag, str)])
        case "site", str():
            return site_scopes(value, sites)
        case "tag", str() if value:
            return tag_scopes([value])
        case "url", str() if value:
            return [Scope(url_name(key)) for key in keys_of(request_for(ascii_uri(value)), policy)]
        case "host", str() if value:
            return [_of_host(value)]
        case "prefix", str() if value:
            return [where(_below(value))]
        case "pattern", str() if value:
            return [where(_matching(value))]
    raise ValueError(EXPECTED)


def _of_host(host: str) -> Scope:
    bracketed = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    if _NO_HOST.search(bracketed):
        raise ValueError(f'expected a host like "example.org" or "example.org:8080", found "{host}"')
    if _PORT.search(bracketed):
        return where(_below(f"{bracketed}/"))
    return Scope(host_name(request_for(ascii_uri(f"http://{bracketed}/")).host))


def _matching(pattern: str) -> Conditions:
    """Return the conditions for URLs, or for paths on any host, that match a pattern.

    Raises:
        ValueError: no URL can match it.
    """
    if pattern.startswith("/"):
        return Conditions(targets=(normalised_target(in_ascii(pattern)),))
    if not _may_begin_url(pattern):
        raise ValueError(f'expected a pattern like "https://example.org/*", "*.png" or "/blog/*", found "{pattern}"')
    return Conditions(urls=(_url_pattern(pattern),))


def _may_begin_url(pattern: str) -> bool:
    """Return whether a pattern can match a URL from its beginning."""
    start = WILD.split(pattern, maxsplit=1)[0].lower()
    return any(f"{scheme}://".startswith(start[: len(scheme) + 3]) for scheme in DEFAULT_PORTS)


def _url_pattern(pattern: str) -> str:
    """Return a pattern for whole URLs, with scheme, host, port and path as they are spelled in keys."""
    pattern = ascii_uri(pattern)
    if (found := _ORIGIN.match(pattern)) is None:
        return pattern
    scheme, host, port = found["scheme"].lower(), normalised_host(found["host"]), found["port"] or ""
    if port.removeprefix(":") == str(DEFAULT_PORTS.get(scheme)):
        port = ""
    target = pattern[found.end() :]
    return f"{scheme}://{host}{port}" + (normalised_target(target) if target else "")


def _below(prefix: str) -> Conditions:
    """Return the conditions for what begins with a URL, with a path on any host, or with a host and a path.

    Raises:
        ValueError: the prefix is none of them.
    """
    if prefix.startswith("/"):
        return Conditions(targets=(f"{literal(_target_of(request_for(ascii_uri(f'http://a{prefix}'))))}*",))
    if _SCHEME.match(prefix):  # nothing may continue the host
        return Conditions(urls=(f"{literal(primary_key(request_for(ascii_uri(prefix))))}*",))
    uri = ascii_uri(f"http://{prefix}")
    request = request_for(uri)
    if urlsplit(uri).port is None:
        return Conditions(hosts=(literal(request.host),), targets=(f"{literal(_target_of(request))}*",))
    both = (primary_key(replace(request, scheme=scheme)) for scheme in DEFAULT_PORTS)
    return Conditions(urls=tuple(f"{literal(key)}*" for key in both))


def _target_of(request: Request) -> str:
    """Return the target of a request as it is spelled in keys."""
    return primary_key(request).removeprefix(request.origin)


def normalised_target(target: str) -> str:
    """Return a target, which may be a pattern, as it is spelled in keys."""
    return _target_of(Request("GET", "http", "a", 80, target))


def keys_of(request: Request, policy: CachePolicy) -> tuple[str, ...]:
    """Return the keys under which copies of the response to a request may be stored."""
    return keys(primary_key(keyed_request(request, policy)), policy)


def tag_scopes(tags: Sequence[str]) -> list[Scope]:
    """Return the scopes of tags. Raises ValueError if they are too many, too long, or none."""
    if not tags or len(tags) > MAX_TAGS_AT_ONCE or any(not tag or len(tag) > MAX_TAG for tag in tags):
        raise ValueError(f"expected 1 to {MAX_TAGS_AT_ONCE} tags of at most {MAX_TAG} characters")
    return [Scope(tag_name(tag)) for tag in dict.fromkeys(tags)]


def site_scopes(name: str, sites: Sites) -> list[Scope]:
    """Return the scopes of a site, which one of its hosts names. Raises ValueError if there is no such site."""
    site = next((hosts for hosts in sites if normalised_host(name) in hosts), None)
    if site is None:
        known = ", ".join(hosts[0] for hosts in sites) or "there are no sites"
        raise ValueError(f'expected a host of a site, found "{name}"; sites: {known}')
    others = [pattern for hosts in sites if hosts is not site for pattern in hosts]
    return [_host_scope(pattern, others) for pattern in site]


def _host_scope(pattern: str, others: Sequence[str]) -> Scope:
    """Return the scope of a host pattern, without the hosts for which another site has a longer one."""
    if pattern != ANY_HOST and not pattern.startswith(WILDCARD):
        return Scope(host_name(pattern))
    below = "" if pattern == ANY_HOST else pattern[len(ANY_HOST) :]
    longer = tuple(each for each in others if each != ANY_HOST and each.removeprefix("*").endswith(below))
    if not below and not longer:
        return Scope(ALL)
    return where(Conditions(hosts=(pattern,), other_hosts=longer))
