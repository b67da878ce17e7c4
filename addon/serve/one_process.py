"""The proxy in one process: the cache, and our own front end or a mitmproxy that listens for it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from addon.config.load import Configuration
from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.runtime.signals import operator_signals
from addon.serve.announcement import announce, store_place
from addon.serve.front_end import access_log
from addon.serve.process_limits import max_descriptors, tune_garbage_collector
from addon.serve.proxy import Proxy
from addon.serve.reload import reload
from addon.service import Service

if TYPE_CHECKING:
    from addon.frontend.mitm.serve.serving import MitmproxyServer


async def serve_in_this_process(
    settings: Settings,
    load: Callable[[], Configuration],
    sockets: Sequence[socket.socket],
    mitmproxy: ScriptsAndModes | None,
    *,
    lasting: bool,
) -> int:
    """Run the proxy until it is stopped, and return its exit code.

    Raises:
        ConfigError: the settings are invalid.
        ValueError: an option about origins is invalid.
        OptionsError: mitmproxy refuses a mode or a script.
    """
    if mitmproxy:
        from addon.frontend.mitm.embedded_service import service_through_mitmproxy  # slow to import, and seldom needed

        service = service_through_mitmproxy(settings, lasting=lasting)
    else:
        service = Service(settings, lasting=lasting)
    try:
        # before the listener accepts, so that every accepted connection is answered
        await service.start()
        proxy = _proxy(settings, service, sockets, mitmproxy)
        operator_signals.handle(
            {
                signal.SIGTERM: proxy.stop,
                signal.SIGINT: proxy.stop,
                signal.SIGQUIT: proxy.stop_at_once,
                signal.SIGUSR1: proxy.reopen_log,
                signal.SIGHUP: partial(reload, proxy, load),
            }
        )
        if not proxy.draining.begun:
            await proxy.run()
        return 0
    finally:
        await service.close()


def _proxy(
    settings: Settings, service: Service, sockets: Sequence[socket.socket], mitmproxy: ScriptsAndModes | None
) -> Proxy | MitmproxyServer:
    """Return the proxy for a service, which is ready to run. Raises ConfigError and OptionsError."""
    listening = partial(_listening, settings, service, mitmproxy.modes if mitmproxy else ())
    limits = ConnectionLimits(settings.limits.connections_per_client, max_descriptors())
    if mitmproxy is None:
        return Proxy(settings, service, sockets, listening, limits)
    from addon.frontend.mitm.serve.serving import MitmproxyServer  # slow to import, and seldom needed

    return MitmproxyServer(settings, service, mitmproxy, listening, limits=limits, log=access_log(settings))


def _listening(settings: Settings, service: Service, modes: Sequence[str], host: str, port: int) -> None:
    """Print where the proxy is, and make ready for many requests."""
    if port:
        service.listens_at(host, port)
    tune_garbage_collector()
    announce(settings, store_place(settings, service), modes, host, port)
