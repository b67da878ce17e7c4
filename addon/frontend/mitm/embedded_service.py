"""The cache's service inside another mitmproxy: opened when it is needed first, and kept up with the settings."""

from __future__ import annotations

import asyncio
import logging

from mitmproxy import ctx

from addon.config.exposure import exposed_keys
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.reload import FIXED, changed_keys
from addon.config.settings import Settings
from addon.frontend.mitm import options
from addon.frontend.mitm.eager_connections import EagerConnections
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.origin.options import OriginOptions
from addon.pipeline.origin import Origin
from addon.runtime.background_tasks import BackgroundTasks
from addon.service import Service

logger = logging.getLogger(__name__)


class EmbeddedService:
    """Opens the service of the settings in force, reloads it, and replaces it by one with another store.

    Attributes:
        settings: The settings in force; None before `use`.
    """

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self._opened: tuple[Service, asyncio.Task[None]] | None = None
        self._closing = BackgroundTasks()

    async def started(self) -> Service:
        """Return the service. Its first caller opens it. Raises ConfigError, StoreError, ValueError and OSError."""
        if self.settings is None:
            self.use(options.configuration())
            return await self.started()
        service, starting = self._opened or self._begin(service_through_mitmproxy(self.settings))
        await asyncio.shield(starting)
        return service

    def use(self, configuration: Configuration) -> None:
        """Use these settings from the next request on.

        Raises:
            ConfigError: they are invalid, or their store cannot be used.
            ValueError: an option about origins is invalid. In both cases nothing has changed.
        """
        old, new = self.settings, configuration.settings
        if old is not None and self.current is not None:
            if any(key.startswith(FIXED) for key in changed_keys(old, new)):
                self._replace(new)
            else:
                self.current.reload(new)
        self.settings = new
        redaction.shows_queries = new.log.queries

    @property
    def current(self) -> Service | None:
        """The service, once it was opened."""
        return self._opened[0] if self._opened else None

    def _begin(self, service: Service) -> tuple[Service, asyncio.Task[None]]:
        if kept := exposed_keys(service.settings, ctx.options.listen_host):
            logger.warning("set listen_host: others can reach what %s keeps for one user", " and ".join(kept))
        service.active.add_observer(EagerConnections(service.active).adapt)
        self._opened = service, asyncio.get_running_loop().create_task(service.start())
        return self._opened

    def _replace(self, settings: Settings) -> None:
        """Go on with a service for settings that one service cannot change, such as the directory of the store."""
        old, new = self.current, service_through_mitmproxy(settings)
        if problem := new.store_problem:
            self._close(new)
            raise ValueError(f"the store {settings.store.directory} cannot be used: {problem}")
        self._begin(new)
        if old is not None:
            self._close(old)

    def _close(self, service: Service) -> None:
        async def close() -> None:
            await service.drain()
            await service.close()

        self._closing.begin(close())

    async def close(self) -> None:
        """Close the service, and wait for those that it has replaced."""
        if self._opened is not None:
            service, starting = self._opened
            await asyncio.wait([starting])
            await service.close()
        await asyncio.gather(*self._closing)


def service_through_mitmproxy(settings: Settings, *, lasting: bool = True) -> Service:
    """Return a service that fetches through mitmproxy. Raises ConfigError and ValueError."""

    def origin(options: OriginOptions) -> Origin:
        return MitmproxyOrigin(options, lambda: service.clock())

    service = Service(settings, lasting=lasting, origin=origin)
    return service
