"""The lanes of `serve` with mitmproxy's listener."""

from __future__ import annotations

import asyncio

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.frontend.mitm.serve.serving import MitmproxyServer
from addon.serve.process_limits import max_descriptors
from tests.lanes.services import ServicePool, ServiceUnderTest


class ServedPool(ServicePool):
    """All services of a test run that fetch through the mitmproxy of `serve`, and the mitmproxy that they share."""

    def __init__(self) -> None:
        super().__init__()
        self._server: MitmproxyServer | None = None
        self._running: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    def _new_service(self, settings: Settings) -> ServiceUnderTest:
        return ServiceUnderTest(settings, MitmproxyOrigin)

    async def proxy(self, service: ServiceUnderTest, *, front_end: bool) -> tuple[str, int]:
        """Let mitmproxy use a service. Return host and port of its listener."""
        assert not front_end
        if self._server is None:
            self._server = MitmproxyServer(
                service.settings,
                service.service,
                ScriptsAndModes(),
                lambda _host, _port: self._listening.set(),
                limits=ConnectionLimits(0, max_descriptors()),
            )
            self._running = asyncio.ensure_future(self._server.run())
            await self._listening.wait()
        self._server.served.service = service.service
        return self._server.address

    async def close(self) -> None:
        """Close mitmproxy and all services."""
        if self._server is not None and self._running is not None:
            # mitmproxy closes its listeners only when its process ends
            await self._server.addons.get("proxyserver").servers.update([])
            self._server.stop_at_once()
            await self._running
        self._running = None
        await super().close()
