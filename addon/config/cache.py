"""The table `[cache]`: how long copies are used, and for what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Strict

from addon.config.clients import Token
from addon.config.section import Section
from addon.config.units import Seconds
from cache.policy.rules import ClientReload, HostRule, LifetimeRule, Mode, SetCookie, glob

Texts = Annotated[tuple[str, ...], Strict(strict=False)]
Tokens = Annotated[tuple[Token, ...], Strict(strict=False)]


def _without_a_recording(mode: Mode) -> Mode:
    if mode is Mode.REPLAY:
        raise ValueError('"online", "auto" or "offline"; recordings.replay names what is replayed')
    return mode


# settings files say these as strings, which strict enums would refuse
SetCookieName = Annotated[SetCookie, Strict(strict=False)]
ModeName = Annotated[Mode, Strict(strict=False), AfterValidator(_without_a_recording)]
ClientReloadName = Annotated[ClientReload, Strict(strict=False)]
Partition = Annotated[
    tuple[Literal["authorization", "cookie", "sec-fetch-site", "referring-site"], ...], Strict(strict=False)
]
TargetedFields = Annotated[tuple[Annotated[Token, AfterValidator(str.lower)], ...], Strict(strict=False)]


class Lifetime(Section):
    """One `[[cache.lifetimes]]` table."""

    lifetime: Seconds
    host: str = "*"
    paths: Texts = ("*",)
    content_types: Texts = ("*",)

    def rule(self) -> LifetimeRule:
        """Return the rule as the cache takes it."""
        paths, kinds = tuple(map(glob, self.paths)), tuple(map(glob, self.content_types))
        return LifetimeRule(int(self.lifetime), glob(self.host), paths, kinds)


class HostMode(Section):
    """One `[[cache.modes]]` table."""

    host: str
    mode: ModeName


class Host(Section):
    """One `[[cache.hosts]]` table."""

    host: str
    groups: bool | None = None
    client_reload: ClientReloadName | None = None

    def rule(self) -> HostRule:
        """Return the rule as the cache takes it."""
        return HostRule(glob(self.host), self.groups, self.client_reload)


# files that never change under their name, and indexes of them, as their makers give them out
LIFETIMES = (
    Lifetime(
        lifetime=86_400,
        paths=("*.whl", "*.whl.metadata", "*/-/*.tgz", "*.crate", "*.gem", "*/@v/*.zip", "*/@v/*.mod", "*/pool/*.deb"),
    ),
    Lifetime(
        lifetime=600,
        content_types=("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"),
    ),
)


class CacheSettings(Section):
    """How long copies are used, and for what."""

    lifetimes: Annotated[tuple[Lifetime, ...], Strict(strict=False)] = LIFETIMES
    heuristic_max: Seconds = 86_400
    heuristic_query: bool = True
    age_formula: Literal["conservative", "corrected"] = "conservative"
    max_stale_disconnected: Seconds = 86_400
    stale_on_5xx: bool = False
    s_maxage_allows_stale: bool = False
    set_cookie: SetCookieName = SetCookie.STORE
    bypass_cookies: Tokens = ()
    client_reload: ClientReloadName = ClientReload.HONOUR
    hosts: Annotated[tuple[Host, ...], Strict(strict=False)] = ()
    targeted_fields: TargetedFields = ()
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
