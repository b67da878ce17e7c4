"""The tables `[[site.rules]]`: what an edge does differently for some paths of a site, and for some responses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from addon.config.annotations import FieldName, FieldValues, field_value
from addon.config.cache import ClientReloadName
from addon.config.model import PathText, Section, Token, Tokens, not_empty
from addon.config.units import PositiveSize, Seconds
from addon.config.user_files import read_users
from cache.http.messages import Fields
from cache.policy.operator_rules import AnswerStatus, glob
from cache.policy.site_rules import (
    BasicAuth,
    CookieChange,
    Effects,
    FieldChange,
    Override,
    QueryChange,
    Rate,
    Redirect,
    ResponseRule,
    SiteRule,
)
from cache.rules.forwarded_fields import PER_CLIENT
from cache.rules.tags import MAX_TAG, names_in
from cache.rules.unkeyed_fields import ambiguous_names, unkeyed_input

# the edge reads these itself, to find the copy for a client and what of it the client wants
_MEANT_FOR_THE_EDGE = frozenset(
    {"accept-encoding", "cookie", "expect", "host", "range"}
    | {"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"}
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|min|h)")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_URL = re.compile(r"(?:https?://|/)[\x21-\x7e]*")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def _path_pattern(value: str) -> str:
    if "%" in value or "//" in value or not value.startswith(("/", "*", "?", "[")):
        raise ValueError('a pattern for whole paths without escapes, like "/docs/*", "*.png" or "/über/*"')
    return value


def _tag(value: str) -> str:
    if names_in(value) != (value,) or len(value) > MAX_TAG:
        raise ValueError(f'cache tags of at most {MAX_TAG} characters without spaces and commas, like "news"')
    return value


Tags = Annotated[tuple[Annotated[str, AfterValidator(_tag)], ...], Strict(strict=False), AfterValidator(not_empty)]


def _status(value: int) -> int:
    if not 200 <= value <= 599:
        raise ValueError("a status from 200 to 599")
    return value


def _rate(value: str) -> str:
    match = _RATE.fullmatch(value)
    if match is None or not float(match[1]):
        raise ValueError('a number of requests in a time, like "10/s", "30/min" or "100/h"')
    return value


def _redirect_url(value: str) -> str:
    names = set(_PLACEHOLDER.findall(value))
    is_complete = not re.search("[{}]", _PLACEHOLDER.sub("", value))
    if not _URL.fullmatch(value) or not names <= {"host", "path", "target"} or not is_complete:
        raise ValueError(
            'a URL or a path, which may contain {host}, {target} and {path}, like "https://{host}{target}"'
        )
    if re.match(r"/+\{(?:path|target)\}", value):  # browsers read what follows two slashes as a host
        raise ValueError("no slash before {path} and {target} at the beginning, since they begin with one")
    return value


def _redirect_status(value: int) -> int:
    if value not in _REDIRECTS:
        raise ValueError("301, 302, 303, 307 or 308")
    return value


def _realm(value: str) -> str:
    if not re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", value):
        raise ValueError('a name in ASCII without quotes and backslashes, like "Preview"')
    return value


def _users_file(value: str) -> str:
    if value:
        read_users(value)
    return value


def _request_field(value: str) -> str:
    if value.lower() in _MEANT_FOR_THE_EDGE:
        raise ValueError(f"a field of requests that a rule may change; {value} has a meaning of its own here")
    fields = Fields(((value, ""),))
    if unkeyed_input(fields, "GET") | ambiguous_names(fields) or value.lower() in PER_CLIENT:
        raise ValueError(f"a field of requests that an edge passes on; it drops {value}, or writes it itself")
    return value


PathPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(_path_pattern)], ...],
    BeforeValidator(_as_list, json_schema_input_type=tuple[str, ...] | str),
    Strict(strict=False),
    AfterValidator(not_empty),
]
Statuses = Annotated[
    tuple[Annotated[int, AfterValidator(_status)], ...],
    BeforeValidator(_as_list, json_schema_input_type=tuple[int, ...] | int),
    Strict(strict=False),
]
AnswerStatusName = Annotated[AnswerStatus, Strict(strict=False)]
OverrideName = Annotated[Override, Strict(strict=False)]
RequestFieldName = Annotated[FieldName, AfterValidator(_request_field)]


class QueryChangeSettings(Section):
    """The table `query` of a rule."""

    drop: Annotated[tuple[str, ...], Strict(strict=False)] = ()
    keep: Annotated[tuple[str, ...], Strict(strict=False)] | None = None
    sort: bool = False

    def change(self) -> QueryChange:
        """Return the change in the form that the cache policy has."""
        return QueryChange(_globs(self.drop), None if self.keep is None else _globs(self.keep), self.sort)


class CookieChangeSettings(Section):
    """The table `cookies` of a rule."""

    keep: Annotated[tuple[str, ...], Strict(strict=False)] | None = None
    strip: Annotated[tuple[str, ...], Strict(strict=False)] = ()

    @model_validator(mode="after")
    def _has_one_list(self) -> Self:
        if (self.keep is None) == (not self.strip):
            raise ValueError("one of the keys keep and strip")
        return self

    def change(self) -> CookieChange:
        """Return the change in the form that the cache policy has."""
        return CookieChange(_globs(self.strip), None if self.keep is None else _globs(self.keep))


class RequestFieldSettings(Section):
    """The table `request_fields` of a rule."""

    set: dict[RequestFieldName, Annotated[str, AfterValidator(field_value)]] = Field(default={})
    remove: Annotated[tuple[RequestFieldName, ...], Strict(strict=False)] = ()

    def change(self) -> FieldChange:
        """Return the change in the form that the cache policy has."""
        return FieldChange(set=tuple(self.set.items()), remove=self.remove)


class ResponseFieldSettings(Section):
    """The table `response_fields` of a rule."""

    set: FieldValues = Field(default={})
    append: FieldValues = Field(default={})
    remove: Annotated[tuple[FieldName, ...], Strict(strict=False)] = ()

    def change(self) -> FieldChange:
        """Return the change in the form that the cache policy has."""
        return FieldChange(tuple(self.set.items()), tuple(self.append.items()), self.remove)


class RedirectSettings(Section):
    """The table `redirect` of a rule."""

    to: Annotated[str, AfterValidator(_redirect_url)]
    status: Annotated[int, AfterValidator(_redirect_status)] = 308


class BasicAuthSettings(Section):
    """The table `basic_auth` of a rule."""

    users_file: Annotated[PathText, AfterValidator(_users_file)] = ""
    realm: Annotated[str, AfterValidator(_realm)] = "Restricted"
    required: bool = True

    @model_validator(mode="after")
    def _has_users(self) -> Self:
        if self.required != bool(self.users_file):
            raise ValueError("a users_file, or required = false for paths without a password")
        return self


class RequestRateSettings(Section):
    """The table `limits.requests` of a rule."""

    rate: Annotated[str, AfterValidator(_rate)]
    burst: int = Field(default=0, ge=0, le=100_000)

    def limit(self, name: str) -> Rate:
        """Return the limit in the form that the cache policy has. `name` tells the counts of several rules apart."""
        number, unit = self.rate.split("/")
        return Rate(name, _SECONDS[unit] / float(number), self.burst)


class RuleLimitSettings(Section):
    """The table `limits` of a rule."""

    requests: RequestRateSettings


class SiteRuleSettings(Section):
    """One `[[site.rules]]` table."""

    path: PathPatterns = ("*",)
    status: Statuses = ()
    content_type: Annotated[
        tuple[str, ...],
        BeforeValidator(_as_list, json_schema_input_type=tuple[str, ...] | str),
        Strict(strict=False),
    ] = ()
    bypass: bool | None = None
    ttl: Seconds | None = None
    negative_ttl: Seconds | None = None
    grace: Seconds | None = None
    stale_if_error: Seconds | None = None
    override: Annotated[tuple[OverrideName, ...], Strict(strict=False)] | None = None
    response_fields: ResponseFieldSettings | None = None
    tags: Tags | None = None
    query: QueryChangeSettings | None = None
    cookies: CookieChangeSettings | None = None
    bypass_cookies: Annotated[tuple[str, ...], Strict(strict=False)] | None = None
    vary_cookie: Token | None = None
    request_fields: RequestFieldSettings | None = None
    client_reload: ClientReloadName | None = None
    answer: AnswerStatusName | None = None
    methods: Annotated[Tokens, AfterValidator(not_empty)] | None = None
    max_body: PositiveSize | None = None
    redirect: RedirectSettings | None = None
    basic_auth: BasicAuthSettings | None = None
    limits: RuleLimitSettings | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        said = self.said()
        if not said:
            raise ValueError("a rule that says something besides its conditions path, status and content_type")
        late = sorted(said - ABOUT_RESPONSES)
        if self.is_about_responses and late:
            raise ValueError(f"no status or content_type beside {late[0]}, which is decided before there is a response")
        return self

    @property
    def is_about_responses(self) -> bool:
        """True if the rule is about some responses only."""
        return bool(self.status or self.content_type)

    def said(self) -> set[str]:
        """Return the names of the keys that say something."""
        return {name for name in self.model_fields_set - CONDITIONS if getattr(self, name) is not None}

    def rule(self, name: str, site: str) -> SiteRule:
        """Return the rule in the form that the cache policy has.

        Args:
            name: What it is called in explanations.
            site: What its site is called: the same limit of several rules of a site is counted once.
        """
        return SiteRule(name, _globs(self.path), self._effects(site), self._response(name))

    def _response(self, name: str) -> ResponseRule:
        return ResponseRule(
            name=name,
            statuses=frozenset(self.status),
            content_types=_globs(self.content_type),
            bypass=self.bypass,
            ttl=_whole(self.ttl),
            negative_ttl=_whole(self.negative_ttl),
            grace=_whole(self.grace),
            stale_if_error=_whole(self.stale_if_error),
            override=None if self.override is None else frozenset(self.override),
            response_fields=self.response_fields.change() if self.response_fields else None,
            tags=self.tags,
        )

    def _effects(self, site: str) -> Effects:
        if self.is_about_responses:
            return Effects()
        return Effects(
            query=self.query.change() if self.query else None,
            cookies=self.cookies.change() if self.cookies else None,
            request_fields=self.request_fields.change() if self.request_fields else None,
            bypass=self.bypass,
            bypass_cookies=None if self.bypass_cookies is None else _globs(self.bypass_cookies),
            vary_cookie=self.vary_cookie,
            client_reload=self.client_reload,
            answer=self.answer,
            methods=self.methods,
            max_body=self.max_body,
            redirect=Redirect(self.redirect.to, self.redirect.status) if self.redirect else None,
            basic_auth=BasicAuth(self.basic_auth.realm, self.basic_auth.users_file) if self.basic_auth else None,
            rate=self.limits.requests.limit(f"{site} {self.limits.requests.rate}") if self.limits else None,
        )

    def __str__(self) -> str:
        """Return the conditions and the keys that the rule sets, as `config check` prints them."""
        conditions = [", ".join(self.path)]
        if self.status:
            conditions.append(f"status {', '.join(map(str, self.status))}")
        if self.content_type:
            conditions.append(f"content type {', '.join(self.content_type)}")
        return f"{'; '.join(conditions)}: {', '.join(sorted(self.said()))}"


CONDITIONS = frozenset({"path", "status", "content_type"})

ABOUT_RESPONSES = frozenset(
    {"bypass", "ttl", "negative_ttl", "grace", "stale_if_error", "override", "response_fields", "tags"}
)
"""Keys that may depend on the response."""


def covered(rules: Sequence[SiteRuleSettings], site: str) -> Iterator[str]:
    """Return a sentence for each rule that never applies, since earlier rules say all that it says.

    Only those are found whose earlier rules are for every path, or for the same patterns.
    """
    for number, rule in enumerate(rules, 1):
        earlier = [(n, each) for n, each in enumerate(rules[: number - 1], 1) if _covers(each, rule)]
        if rule.said() <= {key for _, each in earlier for key in each.said()}:
            numbers = ", ".join(f"#{n}" for n, each in earlier if each.said() & rule.said())
            yield f"{site}.rules#{number} never applies: all that it says is said by rules before it ({numbers})"


def _covers(earlier: SiteRuleSettings, later: SiteRuleSettings) -> bool:
    paths = "*" in earlier.path or "/*" in earlier.path or set(later.path) <= set(earlier.path)
    statuses = not earlier.status or (bool(later.status) and set(later.status) <= set(earlier.status))
    kinds = not earlier.content_type or (
        bool(later.content_type) and set(later.content_type) <= set(earlier.content_type)
    )
    return paths and statuses and kinds


def _globs(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(map(glob, patterns))


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
