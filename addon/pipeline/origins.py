"""The origins that the pipelines of a service ask: how they are reached, the sites of an edge, and their health."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from addon.origin import OriginClient
from addon.origin.backends.checks import HealthChecks
from addon.origin.backends.site import sites_of, take_over_health
from addon.origin.options import OriginOptions
from addon.origin.resolver import Resolver
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.origin import Origin
from addon.runtime.clock import elapsed_seconds


class Origins:
    """Makes a way to origins for each pipeline, and checks the origins of an edge.

    Attributes:
        sites: The sites of an edge.
    """

    def __init__(
        self,
        options: OriginOptions,
        clock: Callable[[], float],
        make_way: Callable[[OriginOptions], Origin] | None = None,
    ) -> None:
        """Use these options.

        Args:
            options: The settings.
            clock: Returns seconds since the epoch.
            make_way: Returns a way to origins, by its options; our own client by default.
        """
        self.sites = sites_of(options.sites)
        self._options = options
        self._clock = clock
        self._make_way = make_way or self._own_client
        self._checks = HealthChecks()

    def _own_client(self, options: OriginOptions) -> Origin:
        # a clock that can be set back would keep old addresses
        resolver = Resolver(options.resolve_timeout, clock=elapsed_seconds)
        return OriginClient(options, self._clock, resolver, self.sites)

    def way(self) -> Origin:
        """Return a way to origins for one pipeline. Raises ValueError if an option is invalid."""
        return self._make_way(self._options)

    def use(self, options: OriginOptions, active: ActivePipeline) -> None:
        """Use other options from the next request on. Raises ValueError if one is invalid; nothing has changed then."""
        if options == self._options:
            return
        pipelines = {active.own, active.current}
        old, self.sites = self.sites, sites_of(options.sites)
        try:
            ways = [self._make_way(options) for _ in pipelines]
        except ValueError:
            self.sites = old
            raise
        self._options = options
        take_over_health(self.sites, old)
        for pipeline, way in zip(pipelines, ways, strict=True):
            pipeline.fetcher.use_origin(way)
        self.start_checks(active)

    def start_checks(self, active: ActivePipeline) -> None:
        """Check the origins of the present sites, and no others."""
        self._checks.start(self.sites, lambda site, origin: active.own.fetcher.client.check(site, origin))

    def described(self) -> list[dict[str, object]]:
        """Return the sites with the state of their origins, for people and programs."""
        return [site.described() for site in self.sites]

    async def handle(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command `sites`: return what `described` returns."""
        return {"sites": self.described()}

    async def close(self) -> None:
        """End the checks."""
        await self._checks.close()
