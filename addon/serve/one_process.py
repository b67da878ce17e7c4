"""The proxy in one process: the cache, and our own front end or a mitmproxy that listens for it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from addon.config.reload import ReadSettings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.settings_command import settings_handler
from addon.runtime.signals import operator_signals
from addon.serve.admin.administered import Administered
from addon.serve.admin.listener import AdminListener
from addon.serve.announcement import announce, announce_to_parent, store_place
from addon.serve.front_end import access_log, traces_of
from addon.serve.late_imports import import_late_modules
from addon.serve.launch import Launch
from addon.serve.live_line import LiveLine
from addon.serve.process_limits import max_descriptors, tune_garbage_collector
from addon.serve.proxy import HANDOVER_GRACE, RESTART_GRACE, Proxy
from addon.serve.reload import reload
from addon.serve.upgrade import upgrade
from addon.service import Service

if TYPE_CHECKING:
    from addon.frontend.mitm.serve.serving import MitmproxyServer

logger = logging.getLogger(__name__)


async def serve_in_this_process(launch: Launch, mitmproxy: ScriptsAndModes | None) -> int:
    """Run the proxy until it is stopped, and return its exit code.

    Raises:
        ConfigError: the settings are invalid.
        ValueError: an option about origins is invalid.
        OptionsError: mitmproxy refuses a mode or a script.
    """
    settings = launch.settings
    if mitmproxy:
        from addon.frontend.mitm.embedded_service import service_through_mitmproxy  # slow to import, and seldom needed

        service = service_through_mitmproxy(settings, lasting=launch.lasting)
    else:
        service = Service(settings, lasting=launch.lasting)
    try:
        # before the listener accepts, so that every accepted connection is answered
        await service.start()
        line = LiveLine(service.commands["stats"])
        proxy = _proxy(launch, service, mitmproxy, line)
        if launch.lasting:
            from addon.warm.check_command import lock_file_handler  # the proxy of one command does not need it

            service.commands["check-lock-file"] = lock_file_handler(service.active)
        service.commands["config"] = settings_handler(lambda: proxy.settings)
        admin = AdminListener(Administered(settings, service.commands, lambda: not proxy.draining.begun), launch.admin)
        process = _OneProcess(launch, proxy, admin)
        process.handle_signals()
        admin.start()
        if not proxy.draining.begun:
            await proxy.run()
        await admin.close()
        await process.close()
        await line.close()
        return 0
    finally:
        await service.close()


class _OneProcess:
    """The operations that signals start."""

    def __init__(self, launch: Launch, proxy: Proxy | MitmproxyServer, admin: AdminListener) -> None:
        self._launch = launch
        self._proxy = proxy
        self._admin = admin
        self._in_force = ReadSettings.of(launch.settings)
        self._tasks = BackgroundTasks()
        self._upgrading: asyncio.Task[None] | None = None
        self._living = self._tasks.begin(launch.manager.show_signs_of_life(_is_alive))

    def handle_signals(self) -> None:
        """Act on signals from now on."""
        operator_signals.handle(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGQUIT: self._stop_at_once,
                signal.SIGUSR1: self._proxy.reopen_log,
                signal.SIGHUP: self._reload,
                signal.SIGUSR2: self._upgrade,
            }
        )

    def _stop(self) -> None:
        self._give_up_upgrade()
        self._launch.manager.stopping()
        if isinstance(self._proxy, Proxy) and self._launch.inherited.are_kept:
            self._proxy.stop(RESTART_GRACE)
        else:
            self._proxy.stop()

    def _stop_at_once(self) -> None:
        self._give_up_upgrade()
        self._proxy.stop_at_once()

    def _give_up_upgrade(self) -> None:
        if self._upgrading is not None:
            self._upgrading.cancel()

    def _reload(self) -> None:
        self._launch.manager.reloading()
        self._in_force = reload(self._proxy, self._launch.load, self._in_force)
        self._launch.tell_ready()

    def _upgrade(self) -> None:
        if not isinstance(self._proxy, Proxy):
            logger.error("no upgrade with --script, --mode or --no-door: mitmproxy cannot pass its sockets on")
        elif self._upgrading is None or self._upgrading.done():
            self._upgrading = self._tasks.begin(self._upgraded(self._proxy))

    async def _upgraded(self, proxy: Proxy) -> None:
        if not proxy.draining.begun and await upgrade(self._launch):
            self._living.cancel()  # the new program gives the signs of life
            proxy.hand_over(HANDOVER_GRACE)
            await self._admin.close(handed_over=True)

    async def close(self) -> None:
        """Stop what is under way."""
        await self._tasks.close()


async def _is_alive(_seconds: float) -> bool:
    """Return true: this runs in the event loop that serves clients."""
    return True


def _proxy(
    launch: Launch, service: Service, mitmproxy: ScriptsAndModes | None, line: LiveLine
) -> Proxy | MitmproxyServer:
    """Return the proxy for a service, which is ready to run. Raises ConfigError and OptionsError."""
    settings = launch.settings
    listening = partial(_listening, launch, service, mitmproxy.modes if mitmproxy else (), line)
    limits = ConnectionLimits(settings.limits.connections_per_client, max_descriptors())
    if mitmproxy is None:
        return Proxy(settings, service, launch.sockets, listening, limits)
    from addon.frontend.mitm.serve.serving import MitmproxyServer  # slow to import, and seldom needed

    server = MitmproxyServer(settings, service, mitmproxy, listening, limits=limits, log=access_log(settings))
    server.served.traces = traces_of(settings)
    return server


def _listening(launch: Launch, service: Service, modes: Sequence[str], line: LiveLine, host: str, port: int) -> None:
    """Print where the proxy is, and make ready for many requests."""
    if port:
        service.listens_at(host, port)
    tune_garbage_collector(collect=launch.lasting)
    if launch.lasting:
        asyncio.get_running_loop().run_in_executor(None, import_late_modules)
        announce(launch.settings, store_place(launch.settings, service), modes, host, port)
        line.begin()
    else:
        announce_to_parent(launch.settings, service, port)
    launch.serves()
