"""The table `[cache]`: how long stored responses are reused, and for which requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Strict

from addon.config.model import LowerCaseTokens, Section, Strings, Tokens
from addon.config.units import Seconds
from cache.policy.operator_rules import ClientReload, HostRule, LifetimeRule, Mode, SetCookie, glob


def _not_replay(mode: Mode) -> Mode:
    if mode is Mode.REPLAY:
        raise ValueError('"online", "auto" or "offline"; to replay a recording, name it in recordings.replay')
    return mode


# a settings file has strings, which strict enums would refuse
SetCookieName = Annotated[SetCookie, Strict(strict=False)]
ModeName = Annotated[Mode, Strict(strict=False), AfterValidator(_not_replay)]
ClientReloadName = Annotated[ClientReload, Strict(strict=False)]
Partition = Annotated[
    tuple[Literal["authorization", "cookie", "sec-fetch-site", "referring-site"], ...], Strict(strict=False)
]


class LifetimeSettings(Section):
    """One `[[cache.lifetimes]]` table."""

    lifetime: Seconds
    host: str = "*"
    paths: Strings = ("*",)
    content_types: Strings = ("*",)

    def rule(self) -> LifetimeRule:
        """Return the rule in the form that the cache policy has."""
        paths, content_types = tuple(map(glob, self.paths)), tuple(map(glob, self.content_types))
        return LifetimeRule(int(self.lifetime), glob(self.host), paths, content_types)


class HostMode(Section):
    """One `[[cache.modes]]` table."""

    host: str
    mode: ModeName


class HostSettings(Section):
    """One `[[cache.hosts]]` table."""

    host: str
    groups: bool | None = None
    client_reload: ClientReloadName | None = None

    def rule(self) -> HostRule:
        """Return the rule in the form that the cache policy has."""
        return HostRule(glob(self.host), self.groups, self.client_reload)


# package files never change under their name; package indexes get the lifetime that the public index gives them
DEFAULT_LIFETIMES = (
    LifetimeSettings(
        lifetime=86_400,
        paths=("*.whl", "*.whl.metadata", "*/-/*.tgz", "*.crate", "*.gem", "*/@v/*.zip", "*/@v/*.mod", "*/pool/*.deb"),
    ),
    LifetimeSettings(
        lifetime=600,
        content_types=("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"),
    ),
)


class CacheSettings(Section):
    """The table `[cache]`."""

    lifetimes: Annotated[tuple[LifetimeSettings, ...], Strict(strict=False)] = DEFAULT_LIFETIMES
    heuristic_max: Seconds = 86_400
    heuristic_query: bool = True
    age_formula: Literal["conservative", "corrected"] = "conservative"
    max_stale_disconnected: Seconds = 86_400
    stale_on_5xx: bool = False
    s_maxage_allows_stale: bool = False
    set_cookie: SetCookieName = SetCookie.AUTO
    bypass_cookies: Tokens = ()
    client_reload: ClientReloadName = ClientReload.HONOUR
    hosts: Annotated[tuple[HostSettings, ...], Strict(strict=False)] = ()
    targeted_fields: LowerCaseTokens = ()
    strip_targeted: bool = False
    no_vary_search: bool = False
    partition: Partition = ()
    content_type_match: bool = False
    range_fetch: Literal["as-asked", "full"] = "as-asked"
    groups: bool = True
    strict_host: bool = False
    vary_lang_order: Literal["count", "ignore"] = "count"
    collapse_timeout: Seconds = 5
    mode: ModeName = Mode.AUTO
    modes: Annotated[tuple[HostMode, ...], Strict(strict=False)] = ()
