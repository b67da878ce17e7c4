"""The lanes of the cache inside another mitmproxy, with all of mitmproxy's own addons and its default options."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mitmproxy import master, options
from mitmproxy.addons import default_addons

from addon.config.settings import Settings
from addon.frontend.mitm.embedded import Embedded
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.frontend.mitm.serve.origin_options import OriginOptionsOfMitmproxy
from addon.origin.options import OriginOptions
from addon.service import Service
from tests.lanes.manual_clock import ManualClock
from tests.lanes.script import Conversation
from tests.lanes.services import ServicePool, ServiceUnderTest


class SharedEmbedded(Embedded):
    """The addon, with a service that can be exchanged."""

    def __init__(self, service: ServiceUnderTest) -> None:
        super().__init__()
        self.current = service

    async def service(self) -> Service:
        return self.current.service


class EmbeddingMaster(master.Master):
    """A mitmproxy as its own tools start it, without their user interfaces.

    Attributes:
        listening: Set once it accepts connections.
    """

    def __init__(self, service: ServiceUnderTest) -> None:
        super().__init__(options.Options(), event_loop=asyncio.get_running_loop(), with_termlog=False)
        self.listening = asyncio.Event()
        self.embedded = SharedEmbedded(service)
        self.addons.add(*default_addons(), self.embedded)
        self.options.update(
            listen_host="127.0.0.1",
            listen_port=0,
            confdir=str(service.settings.ca_directory),
        )
        OriginOptionsOfMitmproxy(self.options, service.settings.origin)

    async def running(self) -> None:
        await super().running()
        self.listening.set()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.addons.get("proxyserver").listen_addrs()[0][:2]
        return host, port


def _mitmproxy_origin(options: OriginOptions, clock: ManualClock) -> MitmproxyOrigin:
    return MitmproxyOrigin(replace(options, connect_timeout=0.1), clock)


class EmbeddedPool(ServicePool):
    """All services of a test run that fetch through mitmproxy, and the mitmproxy that they share.

    Attributes:
        options: Options of mitmproxy for the next conversation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.options: dict[str, str] = {}
        self._master: EmbeddingMaster | None = None
        self._running: asyncio.Task[None] | None = None

    def _new_service(self, settings: Settings) -> ServiceUnderTest:
        return ServiceUnderTest(settings, _mitmproxy_origin)

    async def service(self, conversation: Conversation, *, store: str = "memory") -> ServiceUnderTest:
        """Return the service with the settings of a conversation, once there is a mitmproxy for it."""
        service = await super().service(conversation, store=store)
        if self._master is None:
            self._master = EmbeddingMaster(service)
            self._running = asyncio.ensure_future(self._master.run())
            await self._master.listening.wait()
        return service

    async def proxy(self, service: ServiceUnderTest, *, front_end: bool) -> tuple[str, int]:
        """Let mitmproxy use a service. Return host and port of its listener."""
        assert not front_end
        assert self._master
        self._master.embedded.current = service
        self._master.options.update(**self.options)
        return self._master.address

    async def close(self) -> None:
        """Close mitmproxy and all services."""
        if self._master is not None and self._running is not None:
            await self._master.addons.get("proxyserver").servers.update([])
            self._master.should_exit.set()
            await self._running
        self._running = None
        await super().close()
