"""The cache inside another mitmproxy, beside its other addons."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader

from addon.config.errors import ConfigError
from addon.config.exposure import exposed_keys
from addon.config.load import configure
from addon.config.redaction import redaction
from addon.config.settings import Settings
from addon.frontend.mitm.answer import Answer
from addon.frontend.mitm.capture import Capture
from addon.frontend.mitm.chain import Places
from addon.frontend.mitm.compare import Compare
from addon.frontend.mitm.eager_connections import EagerConnections
from addon.frontend.mitm.flow_states import FlowStates
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.origin.options import OriginOptions
from addon.pipeline.origin import Origin
from addon.service import Service
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)


class Embedded:
    """Makes a service from the usual settings once mitmproxy runs, and puts the cache's addons in their places."""

    name = "secondhand"

    def __init__(self) -> None:
        self._made: asyncio.Future[Service] | None = None
        states = FlowStates(self.service)
        self._places = Places(Capture(states, self._take_places), Compare(states), Answer(states))

    def load(self, loader: Loader) -> None:
        """Add the option that names the settings file."""
        redaction.install("addon", "cache")  # mitmproxy's own messages are its operator's matter
        loader.add_option(
            "secondhand_config", str, "", "secondhand: the TOML file with its settings; empty means the usual places."
        )

    def configure(self, updated: set[str]) -> None:
        """Refuse invalid settings before mitmproxy starts."""
        if "secondhand_config" in updated:
            try:
                configure(_settings_file())
            except ConfigError as error:
                raise exceptions.OptionsError(str(error)) from error

    async def running(self) -> None:
        """Open the store, and take part in flows from now on."""
        self._take_places()
        await self.service()

    def _take_places(self) -> None:
        self._places.take(ctx.master.addons)

    async def service(self) -> Service:
        """Return the service. Its first caller makes it, the others wait for it."""
        if self._made is None:
            self._made = asyncio.get_running_loop().create_future()
            try:
                settings = configure(_settings_file()).settings
                if kept := exposed_keys(settings, ctx.options.listen_host):
                    logger.warning("set listen_host: others can reach what %s keeps for one user", " and ".join(kept))
                redaction.shows_queries = settings.log.queries
                self._made.set_result(await self._started(settings))
            except (ConfigError, StoreError, ValueError, OSError) as error:
                self._made.set_exception(error)
        return await self._made

    async def _started(self, settings: Settings) -> Service:
        def origin(options: OriginOptions) -> Origin:
            return MitmproxyOrigin(options.connect_timeout + options.first_byte_timeout, lambda: service.clock())

        service = Service(settings, origin=origin)
        await service.start()
        service.active.add_observer(EagerConnections(service.active).adapt)
        return service

    async def done(self) -> None:
        """Leave mitmproxy, and close the store."""
        self._places.leave(ctx.master.addons)
        if self._made is not None and self._made.exception() is None:
            await self._made.result().close()


def _settings_file() -> Path | None:
    name = ctx.options.secondhand_config
    return Path(name).expanduser() if name else None
