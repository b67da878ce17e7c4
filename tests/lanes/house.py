"""The real thing under a conversation: a service with its store, and in front of it at most one mitmproxy a process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from threading import Barrier

from addon.server import Proxy
from addon.service import Service
from addon.settings import Settings
from addon.stored import THREADS
from cache.policy import CachePolicy
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
        self._counted = self.service.statistics.snapshot()

    def go_by(self, policy: CachePolicy) -> None:
        """Change the policy of the running service."""
        self.service.policy = self.service.fetcher.policy = policy

    def risen(self, counter: str) -> int:
        """Return by how much a counter has risen since the conversation began."""
        return self.service.statistics.snapshot().get(counter, 0) - self._counted.get(counter, 0)

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


class _ReadyProxy(Proxy):
    """Says when it listens."""

    def __init__(self, settings: Settings, service: Service) -> None:
        super().__init__(settings, service)
        self.listening = asyncio.Event()

    async def running(self) -> None:
        await super().running()
        self.listening.set()

    @property
    def address(self) -> tuple[str, int]:
        host, port, *_ = self.addons.get("proxyserver").listen_addrs()[0]
        return host, port


@dataclass
class _Open:
    house: House
    proxy: _ReadyProxy
    task: asyncio.Task[None]


class Street:
    """All houses of a test run. mitmproxy keeps its options in a global, so only one house has its proxy open."""

    def __init__(self) -> None:
        self._houses: dict[str, House] = {}
        self._open: _Open | None = None

    async def house(self, conversation: Conversation) -> House:
        """Return the house whose settings a conversation wants."""
        settings = settings_for(conversation)
        key = settings.model_dump_json()
        if key not in self._houses:
            self._houses[key] = House(settings)
            await self._houses[key].service.start()
        return self._houses[key]

    async def proxy(self, house: House) -> tuple[str, int]:
        """Return the address of the proxy in front of a house."""
        if self._open is None or self._open.house is not house:
            await self._shut()
            proxy = _ReadyProxy(house.settings, house.service)
            self._open = _Open(house, proxy, asyncio.ensure_future(proxy.run()))
            await proxy.listening.wait()
        return self._open.proxy.address

    async def _shut(self) -> None:
        if self._open is not None:
            await self._open.proxy.addons.get("proxyserver").servers.update([])  # mitmproxy leaves that to its end
            self._open.proxy.shutdown()
            await self._open.task
            self._open = None

    async def close(self) -> None:
        """Close everything."""
        await self._shut()
        for house in self._houses.values():
            await house.service.close()
