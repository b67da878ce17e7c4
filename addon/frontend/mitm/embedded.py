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
from addon.frontend.mitm.hooks import Hooks
from addon.service import Service
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)


class Embedded(Hooks):
    """The hooks, with a service that is made from the usual settings once mitmproxy runs."""

    def __init__(self) -> None:
        self._made: asyncio.Future[Service] | None = None
        super().__init__(self._ready)

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
        """Open the store."""
        await self._ready()
        await super().running()

    async def _ready(self) -> Service:
        # the first caller makes the service, the others wait for it
        if self._made is None:
            self._made = asyncio.get_running_loop().create_future()
            try:
                settings = configure(_settings_file()).settings
                if kept := exposed_keys(settings, ctx.options.listen_host):
                    logger.warning("set listen_host: others can reach what %s keeps for one user", " and ".join(kept))
                redaction.shows_queries = settings.log.queries
                service = Service(settings)
                await service.start()
                self._made.set_result(service)
            except (ConfigError, StoreError, ValueError, OSError) as error:
                self._made.set_exception(error)
        return await self._made

    async def done(self) -> None:
        """Close the store."""
        await super().done()
        if self._made is not None and self._made.exception() is None:
            await self._made.result().close()


def _settings_file() -> Path | None:
    name = ctx.options.secondhand_config
    return Path(name).expanduser() if name else None
