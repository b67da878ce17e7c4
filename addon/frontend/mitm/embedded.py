"""The cache inside another mitmproxy, beside its other addons."""

from __future__ import annotations

import asyncio
import logging

from mitmproxy import contentviews, ctx, exceptions
from mitmproxy.addonmanager import Loader

from addon.config.errors import ConfigError
from addon.config.redaction import redaction
from addon.frontend.mitm import options
from addon.frontend.mitm.answer import Answer
from addon.frontend.mitm.arrival import Arrival
from addon.frontend.mitm.chain import Places
from addon.frontend.mitm.commands import Commands
from addon.frontend.mitm.compare import Compare
from addon.frontend.mitm.copy_view import CopyView
from addon.frontend.mitm.embedded_service import EmbeddedService
from addon.frontend.mitm.flow_states import FlowStates
from addon.frontend.mitm.mitmproxy_version import untested
from addon.runtime.background_tasks import BackgroundTasks
from addon.service import Service
from cache.policy.operator_rules import Mode
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

NAME = "secondhand"


class Embedded:
    """Opens the cache with the usual settings once mitmproxy runs, and puts the cache's addons in their places."""

    def __init__(self) -> None:
        self._name = ""
        self._service = EmbeddedService()
        self._is_running = self._is_misconfigured = False
        self._tasks = BackgroundTasks()
        self._commands = Commands(lambda: self._service.current)
        states = FlowStates(self.service, self._takes_part)
        self._places = Places(Arrival(states, self._take_places), Compare(states), Answer(states, self._until_open))

    @property
    def name(self) -> str:
        """The name by which mitmproxy knows this addon, which asks for it first when it loads the addon."""
        if not self._name:
            self._name = NAME if ctx.master.addons.get(NAME) is None else f"{NAME}, loaded twice"
        return self._name

    @property
    def _is_second(self) -> bool:
        return self.name != NAME

    def load(self, loader: Loader) -> None:
        """Add the options and the commands."""
        if self._is_second:
            logger.error("secondhand is loaded twice, and one mitmproxy can have one cache only: load it once")
            return
        redaction.install("addon", "cache")  # mitmproxy's own messages are its operator's matter
        if problem := untested():
            logger.warning("%s", problem)
        options.add_to(loader)
        try:
            ctx.options.process_deferred()
        except (exceptions.OptionsError, TypeError) as error:  # mitmproxy would silently go on without this addon
            logger.error("secondhand is not loaded: an option has another value than expected: %s", error)
        self._commands.add_to(loader)
        contentviews.add(CopyView(lambda: self._service.current))

    def configure(self, updated: set[str]) -> None:
        """Use changed options, all or none. Raises OptionsError."""
        if self._is_second or options.NAMES.isdisjoint(updated):
            return
        try:
            self._configure(updated)
        except (ConfigError, ValueError, OSError) as error:
            if updated.issuperset(ctx.options.keys()):
                # the script is being loaded, and mitmproxy would print a traceback for what it raises
                self._is_misconfigured = True
                logger.error("%s", error)
                return
            raise exceptions.OptionsError(str(error)) from error
        self._is_misconfigured = False
        self._take_places()  # now, since client replay may begin before `running`
        if self._is_running and options.is_on() and self._service.current is None:
            self._tasks.begin(self._open(self._service))

    def _configure(self, updated: set[str]) -> None:
        self._service.use(options.configuration())
        mode, service = ctx.options.secondhand_mode, self._service.current
        if options.MODE in updated and mode and service is not None:
            service.modes.switch_all(Mode(mode))  # a command may have switched it since the option was set
        if options.ON in updated and service is not None:
            service.active.set_policy(service.policy)  # tells the observers

    def running(self) -> None:
        """Take part in flows from now on."""
        if self._is_second:
            return
        self._is_running = True
        self._take_places()
        if options.is_on():
            options.show_comments()
            self._tasks.begin(self._open(self._service))

    @staticmethod
    async def _open(service: EmbeddedService) -> None:
        try:
            await service.started()
        except (ConfigError, StoreError, ValueError, OSError) as error:
            logger.error("%s", error)

    async def _until_open(self) -> None:
        await self._tasks.settled()

    def _takes_part(self) -> bool:
        return options.is_on() and not self._is_misconfigured

    def _take_places(self) -> None:
        self._places.take(ctx.master.addons)

    async def service(self) -> Service:
        """Return the service, once it is ready."""
        return await self._service.started()

    def done(self) -> asyncio.Task[None] | None:
        """Leave mitmproxy, and close the store. The addon can be loaded again at once."""
        if self._is_second:
            return None
        self._places.leave(ctx.master.addons)
        left, self._service, self._name, self._is_running = self._service, EmbeddedService(), "", False
        return self._tasks.begin(self._close(left, set(self._tasks)))

    @staticmethod
    async def _close(service: EmbeddedService, earlier: set[asyncio.Task[object]]) -> None:
        """Close the service after what was begun earlier: opening it, and closing those of earlier removals."""
        if earlier:
            await asyncio.wait(earlier)
        await service.close()
