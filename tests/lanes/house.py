"""The real thing under a conversation: a service with its store, and a mitmproxy in front of it."""

from __future__ import annotations

import asyncio
from threading import Barrier

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.handover import HandOver
from addon.pipeline.async_store import THREADS
from addon.server import Proxy, arrival_of, listener_of, most_descriptors
from addon.service import Service
from cache.policy.cache_policy import CachePolicy
from tests.lanes.script import Conversation
from tests.lanes.settings import settings_for
from tests.lanes.time import Time


class House:
    """One set of settings: a service, its time, and what it had counted when the conversation began."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.time = Time()
        self.service = Service(settings, self.time.now)
        self.policy = self.service.policy
        self._counted: dict[str, int] = {}

    async def begin(self) -> None:
        """Forget every stored response, go by the settings, and begin to count time and events."""
        self.time.begin()
        self.go_by(self.policy)
        await self.service.fetcher.purge(lambda _: True, self.service.store.clear)
        self._counted = self.service.counters.snapshot()

    def go_by(self, policy: CachePolicy) -> None:
        """Change the policy of the running service."""
        self.service.policy = self.service.fetcher.policy = policy

    def risen(self, counter: str) -> int:
        """Return by how much a counter has risen since the conversation began."""
        return self.service.counters.snapshot().get(counter, 0) - self._counted.get(counter, 0)

    async def counted(self, counter: str, by: int) -> None:
        """Wait until a counter has risen by that much."""
        while self.risen(counter) < by:
            await asyncio.sleep(0.001)
        assert self.risen(counter) == by, f"{counter} has risen by {self.risen(counter)}"

    async def waited(self, requests: int) -> None:
        """Wait until as many requests as that have looked into the store and found nothing."""
        while self.risen("requests") < requests:
            await asyncio.sleep(0.001)
        # the store's threads take calls in turn: when all of them meet here, every call before is through
        barrier = Barrier(THREADS)
        await asyncio.gather(*(self.service.stored.run(barrier.wait) for _ in range(THREADS)))
        for _ in range(5):
            await asyncio.sleep(0)


class _SharedProxy(Proxy):
    """One mitmproxy for all houses: it keeps its options in a global, and is slow to start."""

    def __init__(self, house: House) -> None:
        super().__init__(house.settings, house.service, door=False)
        self.house = house
        self.listening = asyncio.Event()
        admission = ConnectionLimits(house.settings.limits.connections_per_client, most_descriptors())
        hand_over = HandOver(self._proxyserver, admission.release)
        self.entrance = listener_of(house.settings, house.service, hand_over, admission)

    async def _ready(self) -> Service:
        return self.house.service

    async def running(self) -> None:
        await super().running()
        await self.entrance.start("127.0.0.1", 0)
        self.listening.set()

    def stand_before(self, house: House) -> None:
        self.house = house
        door = self.entrance.door
        door.serve(house.service)
        door.arrival = arrival_of(house.settings)


class Street:
    """All houses of a test run, and the proxy that stands in front of one of them."""

    def __init__(self) -> None:
        self._houses: dict[str, House] = {}
        self._proxy: _SharedProxy | None = None
        self._running: asyncio.Task[None] | None = None

    async def house(self, conversation: Conversation, *, on_disk: bool = False) -> House:
        """Return the house whose settings a conversation wants, its store in memory or `on_disk`."""
        settings = settings_for(conversation, on_disk=on_disk)
        key = settings.model_dump_json()
        if key not in self._houses:
            self._houses[key] = House(settings)
            await self._houses[key].service.start()
        return self._houses[key]

    async def proxy(self, house: House, *, door: bool) -> tuple[str, int]:
        """Put the proxy in front of a house; return the address of its door, or of mitmproxy's own listener."""
        if self._proxy is None:
            self._proxy = _SharedProxy(house)
            self._running = asyncio.ensure_future(self._proxy.run())
            await self._proxy.listening.wait()
        self._proxy.stand_before(house)
        return self._proxy.entrance.address if door else self._proxy.address

    async def close(self) -> None:
        """Close everything."""
        if self._proxy is not None and self._running is not None:
            await self._proxy.entrance.close()
            await self._proxy.addons.get("proxyserver").servers.update([])  # mitmproxy leaves that to its end
            self._proxy.should_exit.set()
            await self._running
        for house in self._houses.values():
            await house.service.close()
