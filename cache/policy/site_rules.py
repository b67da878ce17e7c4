"""Rules for paths of a site: what an edge changes in requests and responses, and what it refuses. Plain data.

Rules are in order. For each thing that rules can say, the first rule counts that matches the path and says it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from cache.http.host_table import HostTable
from cache.policy.operator_rules import AnswerStatus, ClientReload

MAX_PATHS = 4096
"""Paths whose effects a site remembers; when there are more, all are forgotten."""

_SLASHES = re.compile("/{2,}")
_MATRIX_PARAMETERS = re.compile(";[^/]*")
_SEVERAL_READINGS = re.compile(r"[%;\\]|//|/\.|[^\x00-\x7f]")
_ESCAPED_DOTS = re.compile("%2e", re.IGNORECASE)


class Override(StrEnum):
    """A statement of an origin about a response that a rule makes ineffective for this cache."""

    NO_CACHE = "no-cache"
    NO_STORE = "no-store"
    PRIVATE = "private"
    MUST_REVALIDATE = "must-revalidate"
    """Also `proxy-revalidate`."""
    SET_COOKIE = "set-cookie"
    """The response is stored without its Set-Cookie fields."""
    COOKIE = "cookie"
    """Requests with different cookies may get the same copy, although only the rule gives it a lifetime."""


@dataclass(frozen=True, slots=True)
class QueryChange:
    """The parameters of a query that are a part of the key, and reach the origin."""

    drop: tuple[re.Pattern[str], ...] = ()
    keep: tuple[re.Pattern[str], ...] | None = None
    """If set, only these are left."""
    sort: bool = False
    """Put parameters in the order of their names; equal names keep their order."""


@dataclass(frozen=True, slots=True)
class CookieChange:
    """The cookies of requests that reach the origin."""

    strip: tuple[re.Pattern[str], ...] = ()
    keep: tuple[re.Pattern[str], ...] | None = None
    """If set, only these are left."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldChange:
    """Fields that are set, appended or removed."""

    set: tuple[tuple[str, str], ...] = ()
    append: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """The answer to a request: another URL."""

    to: str
    """May contain `{host}`, `{target}` and `{path}`."""
    status: int


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """The names and passwords that a client has to know."""

    realm: str
    users_file: str
    """Empty if no password is needed after all."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate of requests that a client may send."""

    name: str
    """Tells the counts of several rules apart."""
    interval: float
    """Seconds from one request to the next."""
    burst: int
    """Requests that may come earlier."""


@dataclass(frozen=True, slots=True, eq=False)
class ResponseRule:
    """The effects of one rule on responses with some statuses and media types. None leaves it to later rules."""

    name: str
    statuses: frozenset[int] = frozenset()
    """Empty for any."""
    content_types: tuple[re.Pattern[str], ...] = ()
    """Matched against the media type without its parameters; empty for any."""
    bypass: bool | None = None
    ttl: int | None = None
    negative_ttl: int | None = None
    grace: int | None = None
    stale_if_error: int | None = None
    override: frozenset[Override] | None = None
    response_fields: FieldChange | None = None
    tags: tuple[str, ...] | None = None
    """Cache tags, beside those that the response itself has."""

    def matches(self, status: int, media_type: str) -> bool:
        """Return whether the rule is about responses with this status and media type."""
        if self.statuses and status not in self.statuses:
            return False
        return not self.content_types or any(kind.fullmatch(media_type) for kind in self.content_types)


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """The effects of the rules on requests for a path, and on their responses. Compared by identity, which is fast."""

    query: QueryChange | None = None
    cookies: CookieChange | None = None
    request_fields: FieldChange | None = None
    bypass: bool | None = None
    bypass_cookies: tuple[re.Pattern[str], ...] | None = None
    """Names of cookies; a request with one of them bypasses the cache."""
    vary_cookie: str | None = None
    """The only cookie that copies are kept apart by."""
    client_reload: ClientReload | None = None
    answer: AnswerStatus | None = None
    methods: tuple[str, ...] | None = None
    """The methods that are allowed."""
    max_body: int | None = None
    """Bytes of content in a request."""
    redirect: Redirect | None = None
    basic_auth: BasicAuth | None = None
    rate: Rate | None = None
    responses: tuple[ResponseRule, ...] = ()
    names: tuple[str, ...] = ()
    """The names of the rules that match the path, in order."""


NO_EFFECTS = Effects()

MERGED = tuple(field.name for field in fields(Effects) if field.name not in ("responses", "names"))
"""Names of the effects of which the first that is set counts."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteRule:
    """One rule."""

    name: str
    paths: tuple[re.Pattern[str], ...]
    effects: Effects
    response: ResponseRule

    def matches(self, path: str) -> bool:
        """Return whether the rule is about a path as `path_of` returns it."""
        return any(pattern.fullmatch(path) for pattern in self.paths)


class SiteRules:
    """The rules of one site."""

    def __init__(self, rules: Sequence[SiteRule]) -> None:
        self.rules = tuple(rules)
        self._by_path: dict[str, tuple[Effects, ...]] = {}
        self._by_rules: dict[tuple[SiteRule, ...], Effects] = {}

    def effects(self, target: str) -> Effects:
        """Return what the rules say about a request target; the same object if the same rules match."""
        return self.all_effects(target)[0]

    def all_effects(self, target: str) -> tuple[Effects, ...]:
        """Return what the rules say about a request target for each way in which origins may read its path.

        The first is what `effects` returns, and mostly the only one. A request is refused if any of them refuses it.
        """
        path = target.partition("?")[0]
        known = self._by_path.get(path)
        if known is not None:
            return known
        first, *others = dict.fromkeys(map(self._effects, (path_of(path), *_other_readings(path))))
        found = (_uncached(first), *others) if others else (first,)
        if len(self._by_path) >= MAX_PATHS:
            self._by_path.clear()
        self._by_path[path] = found
        return found

    def _effects(self, path: str) -> Effects:
        matching = tuple(rule for rule in self.rules if rule.matches(path))
        found = self._by_rules.get(matching)
        if found is None:
            found = self._by_rules[matching] = _merged(matching)
        return found


RuleTable = HostTable[SiteRules]
"""The rules of all sites, by host."""


def _merged(rules: Sequence[SiteRule]) -> Effects:
    merged = NO_EFFECTS
    for rule in reversed(rules):
        said = {name: value for name in MERGED if (value := getattr(rule.effects, name)) is not None}
        merged = replace(merged, **said)
    names, responses = tuple(rule.name for rule in rules), tuple(rule.response for rule in rules)
    return replace(merged, responses=responses, names=names) if rules else NO_EFFECTS


def _uncached(effects: Effects) -> Effects:
    """Return the effects for a path that has others for some origins: what they send may be for one user only."""
    return replace(effects, bypass=True, responses=(ResponseRule("", bypass=True), *effects.responses))


def path_of(path: str) -> str:
    """Return a path as rules see it: as text without escapes, repeated slashes and dot segments.

    Origins read several spellings of a path as the same, and no spelling may lead past a rule.
    """
    return path if _has_one_reading(path) else _resolved(_SLASHES.sub("/", _decoded(path)))


def _other_readings(path: str) -> list[str]:
    """Return a path as origins read it that resolve no dot segments, or earlier, or keep repeated slashes.

    Servlet containers drop parameters like `;a=b`. URL parsers as in Node take a backslash for a slash.
    """
    if _has_one_reading(path):
        return []
    decoded = _decoded(path)
    dotted = _ESCAPED_DOTS.sub(".", path)
    unresolved = [decoded, _SLASHES.sub("/", decoded), _decoded(_resolved(dotted))]
    in_servlets, in_node = _decoded(_MATRIX_PARAMETERS.sub("", path)), decoded.replace("\\", "/")
    resolved = [_resolved(decoded), *(_resolved(_SLASHES.sub("/", each)) for each in (in_servlets, in_node))]
    return [*unresolved, *resolved]


def _has_one_reading(path: str) -> bool:
    return not _SEVERAL_READINGS.search(path)


def _resolved(path: str) -> str:
    """Return a path without dot segments (RFC 3986 §5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[max(1, len(kept) - 1) :]  # nothing is above the first segment, which is empty
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


_LATIN_1 = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
"""The code points by which Python marks bytes that are no UTF-8."""


def _decoded(path: str) -> str:
    data = unquote_to_bytes(path.encode("latin-1", "replace"))
    # byte by byte: one that is no UTF-8 must not change how the others are read, and lead past a rule for `/über/*`
    return data.decode("utf-8", "surrogateescape").translate(_LATIN_1)
