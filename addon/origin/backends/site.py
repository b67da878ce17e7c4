"""The sites of an edge, with what is known about their origins. It outlives the connections to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, MutableSet, Sequence
from dataclasses import dataclass, field
from weakref import WeakSet

from addon.origin.backends.health import OriginHealth
from addon.origin.backends.options import SiteOptions, SiteOriginOptions
from addon.origin.pool import OriginPool


@dataclass(slots=True, eq=False)
class SiteOrigin:
    """One origin, and its health."""

    options: SiteOriginOptions
    health: OriginHealth
    pools: MutableSet[OriginPool] = field(default_factory=WeakSet)
    """The pools of connections to it that are in use."""


@dataclass(slots=True, eq=False)
class Site:
    """One site."""

    options: SiteOptions
    origins: tuple[SiteOrigin, ...]

    @property
    def has_origin_up(self) -> bool:
        """True if at least one origin is up."""
        return any(origin.health.is_up for origin in self.origins)

    def described(self) -> dict[str, object]:
        """Return the site and the state of its origins, for people and programs."""
        return {"hosts": list(self.options.hosts), "origins": [_described(origin) for origin in self.origins]}


def _described(origin: SiteOrigin) -> dict[str, object]:
    health = origin.health
    return {
        "url": origin.options.url,
        "weight": origin.options.weight,
        "state": "up" if health.is_up else "down",
        "problem": health.problem,
        "requests": health.requests,
        "failures": health.failures,
        "in_flight": sum(pool.busy for pool in origin.pools),
        "last_problem": health.last_problem,
        "last_problem_age": health.last_problem_age,
    }


def sites_of(options: Iterable[SiteOptions], clock: Callable[[], float] = time.monotonic) -> tuple[Site, ...]:
    """Return the sites with these options, whose origins are up. `clock` returns seconds that only go forward."""
    return tuple(
        Site(site, tuple(SiteOrigin(origin, OriginHealth(origin.url, site, clock)) for origin in site.origins))
        for site in options
    )


def take_over_health(new: Sequence[Site], old: Sequence[Site]) -> None:
    """Let the origins of new sites have the health that the same origins had in the old sites of the same names."""
    known = {(site.options.name, origin.options.url): origin.health for site in old for origin in site.origins}
    for site in new:
        for origin in site.origins:
            if health := known.get((site.options.name, origin.options.url)):
                origin.health.take_over(health)
