"""Checks the health of the origins of all sites that have such checks, one after the other for each origin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from addon.origin.backends.site import Site, SiteOrigin

Check = Callable[[Site, SiteOrigin], Awaitable[str | None]]
"""Checks an origin once; returns what is wrong, or None if it is well."""


class HealthChecks:
    """The checks that are under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, sites: Sequence[Site], check: Check) -> None:
        """Check these origins from now on, and no others."""
        self._cancel()
        loop = asyncio.get_running_loop()
        for site in sites:
            if site.options.check is not None:
                seconds = site.options.check.interval
                self._tasks.update(loop.create_task(_repeat(check, site, each, seconds)) for each in site.origins)

    def _cancel(self) -> list[asyncio.Task[None]]:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        self._tasks.clear()
        return tasks

    async def close(self) -> None:
        """End all checks."""
        await asyncio.gather(*self._cancel(), return_exceptions=True)


async def _repeat(check: Check, site: Site, origin: SiteOrigin, seconds: float) -> None:
    """Check an origin again and again, with so many seconds in between."""
    while True:
        problem = await check(site, origin)
        if problem is None:
            origin.health.passed_check()
        else:
            origin.health.failed_check(problem)
        await asyncio.sleep(seconds)
