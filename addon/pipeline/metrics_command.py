"""The metrics of this process, and the control command `metrics`, by which they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, runtime_checkable

from addon.origin.backends.health import OriginHealth
from addon.origin.backends.site import Site
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.own_store import OwnStore
from addon.pipeline.store_condition import StoreState
from addon.runtime.counters import Counters
from addon.runtime.metrics.definitions import COUNTERS
from addon.runtime.metrics.event_loop_lag import EventLoopLag
from addon.runtime.metrics.responses import ResponseMetrics
from addon.runtime.metrics.samples import Samples
from addon.runtime.version import version_of
from cache.stores.base import StoreError
from cache.stores.tiered.memory_tier import MemoryTier

type Source = Callable[[Samples], None]
"""Adds what a part of the proxy knows to the values of this process."""


@runtime_checkable
class HasMemory(Protocol):
    """A store with copies in memory, in front of others."""

    @property
    def memory(self) -> MemoryTier:
        """These copies."""


class MetricsCommand:
    """Puts the metrics together from what the parts of the proxy know.

    Attributes:
        responses: Counts the responses that clients get.
        lag: Looks how late the event loop is.
    """

    def __init__(
        self,
        active: ActivePipeline,
        own_store: OwnStore,
        counters: Counters,
        sites: Callable[[], Sequence[Site]],
    ) -> None:
        self.responses = ResponseMetrics()
        self.lag = EventLoopLag()
        self._since = time.time()
        self._active = active
        self._own_store = own_store
        self._counters = counters
        self._sites = sites
        self._sources: list[Source] = []

    def add_source(self, source: Source) -> None:
        """Ask a part, too, whenever the metrics are asked for."""
        self._sources.append(source)

    async def handle(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the values of all metrics at this moment, as `Samples.described` does."""
        samples = self.counted()
        samples.add("processes", 1)
        samples.add("start_time_seconds", self._since)
        samples.add("build_info", 1, version_of("secondhand"))
        for source in self._sources:
            source(samples)
        self._add_pipelines(samples)
        self._add_origins(samples)
        await self._add_store(samples)
        return samples.described()

    async def handle_origin_times(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the times of origins by host, as `HostTimes.described` does."""
        return self.responses.host_times.described()

    def counted(self) -> Samples:
        """Return what was counted so far: what is left when this process has ended."""
        samples = Samples()
        counters = self._counters.snapshot()  # before the responses, which some of its sources count
        for counter, count in counters.items():
            family, _, member = counter.partition(".")
            if counter in COUNTERS:
                samples.add(COUNTERS[counter], count)
            elif family in COUNTERS:
                samples.add(COUNTERS[family], count, member)
        self.responses.add_to(samples)
        samples.add_histogram("event_loop_lag_seconds", self.lag.histogram)
        samples.add("store_errors_total", self._own_store.condition.failures)
        for site, url, health in self._healths():
            samples.add("site_requests_total", health.requests, site, url)
            samples.add("site_failures_total", health.failures, site, url)
        return samples

    def _healths(self) -> Iterator[tuple[str, str, OriginHealth]]:
        for site in self._sites():
            for origin in site.origins:
                yield site.options.hosts[0], origin.options.url, origin.health

    def _add_origins(self, samples: Samples) -> None:
        samples.add("origins_left_alone", len(self._active.policy.network.unreachable))
        for site, url, health in self._healths():
            samples.add("origin_up", health.is_up, site, url)

    def _add_pipelines(self, samples: Samples) -> None:
        for pipeline in {self._active.own, self._active.current}:
            samples.add("flights", len(pipeline.fetcher.single_flight))
            samples.add("fills", len(pipeline.fetcher.fills))

    async def _add_store(self, samples: Samples) -> None:
        """Add what is known about the own store, as far as no look at all responses is needed for it."""
        store, max_size = self._active.own.store, self._own_store.max_size
        samples.add("store_working", self._own_store.condition.state is StoreState.OPEN)
        if max_size is not None:
            samples.add("store_max_bytes", max_size)
        if isinstance(store.sync_store, HasMemory):
            samples.add("tier_bytes", store.sync_store.memory.size, "memory")
            samples.add("tier_entries", len(store.sync_store.memory), "memory")
        if max_size is not None and self._own_store.is_measured:
            with suppress(StoreError):  # it cannot be asked at the moment
                samples.add("store_bytes", max_size - await store.run(store.sync_store.free_space))
