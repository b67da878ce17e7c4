"""The real services under test, and the real front end that all of them share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Barrier

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.gateway.sites import Sites
from addon.origin.options import OriginOptions
from addon.pipeline.async_store import THREADS
from addon.pipeline.origin import Origin
from addon.serve.front_end import listener_of, targets_of
from addon.serve.listening_sockets import bound_sockets, close_all
from addon.serve.own_ca import make_ca
from addon.serve.process_limits import max_descriptors
from addon.service import Service
from cache.policy.cache_policy import CachePolicy
from cache.stores.purge_scopes import ALL, Scope
from tests.lanes.manual_clock import ManualClock
from tests.lanes.script import Conversation
from tests.lanes.settings import settings_for


class ServiceUnderTest:
    """A service for one set of settings, with its store, its clock, and its counters since the last `reset`."""

    def __init__(
        self, settings: Settings, origin: Callable[[OriginOptions, ManualClock], Origin] | None = None
    ) -> None:
        self.settings = settings
        self.clock = ManualClock()
        made = (lambda options: origin(options, self.clock)) if origin else None
        self.service = Service(settings, self.clock, origin=made)
        self.policy = self.service.policy
        self._counters: dict[str, int] = {}

    async def reset(self) -> None:
        """Delete every stored response, use the policy of the settings, and reset clock and counters."""
        self.clock.reset()
        self.use_policy(self.policy)
        await self.service.active.own.purge([Scope(ALL)])
        self._counters = self.service.counters.snapshot()

    def use_policy(self, policy: CachePolicy) -> None:
        """Change the policy of the running service."""
        self.service.active.current.fetcher.use_policy(policy)

    def rise(self, counter: str) -> int:
        """Return by how much a counter has risen since `reset`."""
        return self.service.counters.snapshot().get(counter, 0) - self._counters.get(counter, 0)

    async def wait_for_count(self, counter: str, by: int) -> None:
        """Wait until a counter has risen by this number since `reset`."""
        while self.rise(counter) < by:
            await asyncio.sleep(0.001)
        assert self.rise(counter) == by, f"{counter} has risen by {self.rise(counter)}"

    async def wait_for_lookups(self, requests: int) -> None:
        """Wait until this number of requests has looked into the store."""
        while self.rise("requests") < requests:
            await asyncio.sleep(0.001)
        # the store's threads take calls in turn: once all of them meet here, every earlier call has ended
        barrier = Barrier(THREADS)
        await asyncio.gather(*(self.service.active.current.store.run(barrier.wait) for _ in range(THREADS)))
        for _ in range(5):
            await asyncio.sleep(0)


class SharedFrontEnd:
    """One listener for all services.

    Attributes:
        listener: The listener of the front end.
    """

    def __init__(self, service: ServiceUnderTest) -> None:
        self._limits = ConnectionLimits(service.settings.limits.connections_per_client, max_descriptors())
        self.listener = listener_of(service.settings, service.service, self._limits)
        self._handlers = {service: self.listener.handler}

    def use(self, service: ServiceUnderTest) -> None:
        """Send all requests to this service from now on."""
        if service not in self._handlers:
            listener = listener_of(service.settings, service.service, self._limits)
            listener.handler.frontend.connections.start()
            self._handlers[service] = listener.handler
        self.listener.handler = self._handlers[service]
        self.listener.targets = targets_of(
            service.settings, Sites(service.settings.sites, service.service.policy.site_rules)
        )


class ServicePool:
    """All services of a test run, one for each set of settings, and the proxy that they share."""

    def __init__(self) -> None:
        self._services: dict[str, ServiceUnderTest] = {}
        self._front_end: SharedFrontEnd | None = None

    async def service(self, conversation: Conversation, *, store: str = "memory") -> ServiceUnderTest:
        """Return the service with the settings of a conversation, and with a store of this kind."""
        settings = settings_for(conversation, store=store)
        key = settings.model_dump_json()
        if key not in self._services:
            self._services[key] = self._new_service(settings)
            await self._services[key].service.start()
        return self._services[key]

    def _new_service(self, settings: Settings) -> ServiceUnderTest:
        return ServiceUnderTest(settings)

    async def proxy(self, service: ServiceUnderTest, *, front_end: bool) -> tuple[str, int]:
        """Let the proxy use a service. Return host and port of the front end."""
        assert front_end
        if self._front_end is None:
            make_ca(service.settings)
            self._front_end = SharedFrontEnd(service)
            sockets = bound_sockets("127.0.0.1", 0)
            await self._front_end.listener.start(sockets)
            close_all(sockets)
        self._front_end.use(service)
        return self._front_end.listener.address

    async def close(self) -> None:
        """Close the front end and all services."""
        if self._front_end is not None:
            await self._front_end.listener.close()
        for service in self._services.values():
            await service.service.close()
