"""The control commands that tell what happened since the proxy started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from addon.origin.reachability import Reachability
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.own_store import OwnStore
from addon.pipeline.too_large import TooLargeResponses
from addon.runtime.control import Handler
from addon.runtime.counters import Counters
from addon.runtime.distrust import Distrust


class SinceStartCommands:
    """The commands `stats`, `summary`, `missing`, `not-stored-examples` and `failed-hosts`."""

    def __init__(
        self,
        started_at: float,
        counters: Counters,
        *,
        active: ActivePipeline,
        own_store: OwnStore,
        too_large: TooLargeResponses,
        distrust: Distrust,
        reachability: Reachability,
    ) -> None:
        """Tell what these parts of the proxy know. `started_at` is in seconds since the epoch."""
        self._started_at = started_at
        self._counters = counters
        self._active = active
        self._own_store = own_store
        self._too_large = too_large
        self._distrust = distrust
        self._reachability = reachability

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of the commands."""
        return {
            "failed-hosts": self._failed_hosts,
            "missing": self._missing,
            "not-stored-examples": self._examples,
            "stats": self._stats,
            "summary": self._summary,
        }

    async def _failed_hosts(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return how many connections failed, by host of a client's tunnel and by origin."""
        return {"distrusted": dict(self._distrust.hosts), "not_reached": dict(self._reachability.not_reached)}

    async def _missing(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the URLs that were missing offline, and those of responses that were too large to store."""
        misses = self._active.current.responder.misses
        too_large = [f"{each.uri} ({each.size()})" for each in self._too_large.noted]
        return {"urls": misses.missing if misses else [], "too_large": too_large}

    async def _examples(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return a response for each reason for which one was not stored, with what is wrong with its head."""
        own = self._active.own
        return await own.fetcher.not_stored.examples.described(own.policy)

    async def _stats(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return dict(await self.counted())

    async def counted(self) -> Mapping[str, int]:
        """Return the counters since the start, other than those of hosts."""
        return self._counters.snapshot()

    async def _summary(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return what `stats` tells beside the counters; the contents of a store in memory only this process knows."""
        in_memory = self._own_store.directory is None
        contents = asdict(self._active.own.store.sync_store.statistics()) if in_memory else None
        told = {"since": self._started_at, "hosts": self._counters.hosts(), "contents": contents}
        return {**told, "max_size": self._own_store.max_size}
