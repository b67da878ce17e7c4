"""The start of the proxy: checks, the cache, and our own front end or a mitmproxy that listens for it."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import typer
from mitmproxy import exceptions

from addon.config.errors import ConfigError
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.runtime.event_loop import run
from addon.runtime.signals import operator_signals
from addon.serve.announcement import announce
from addon.serve.front_end import access_log
from addon.serve.own_ca import make_ca
from addon.serve.process_limits import allow_many_connections, max_descriptors
from addon.serve.proxy import Proxy
from addon.serve.reload import reload
from addon.service import Service

if TYPE_CHECKING:
    from addon.frontend.mitm.serve.serving import MitmproxyServer

FAILED, MISCONFIGURED = 1, 2


def serve(
    settings: Settings,
    load: Callable[[], Configuration],
    *,
    mitmproxy: ScriptsAndModes | None = None,
    lasting: bool = True,
) -> int:
    """Run the proxy until it is stopped.

    Args:
        settings: The operator's settings.
        load: Reads them again, at each SIGHUP. Raises ConfigError.
        mitmproxy: Listen with mitmproxy in place of our front end, with these scripts and modes.
        lasting: The proxy outlives a single command, so that people may switch its mode.

    Returns:
        The exit code: 0, 1 if it cannot run, 2 for invalid settings.
    """
    redaction.install()
    redaction.shows_queries = settings.log.queries
    logging.basicConfig(
        level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("hpack").setLevel(logging.WARNING)  # below, it logs fields with their values
    if problem := unusable_address(*settings.address):
        typer.echo(f"secondhand: cannot listen on {settings.listen}: {problem}", err=True)
        return FAILED
    allow_many_connections()
    try:
        return run(_run(settings, load, mitmproxy, lasting=lasting))
    except (ConfigError, ValueError, exceptions.OptionsError) as error:
        typer.echo(f"secondhand: {error}", err=True)
        return MISCONFIGURED


def unusable_address(host: str, port: int) -> str | None:
    """Return why it is impossible to listen there, or None."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


async def _run(
    settings: Settings, load: Callable[[], Configuration], mitmproxy: ScriptsAndModes | None, *, lasting: bool
) -> int:
    make_ca(settings)
    if mitmproxy:
        from addon.frontend.mitm.embedded_service import service_through_mitmproxy  # slow to import, and seldom needed

        service = service_through_mitmproxy(settings, lasting=lasting)
    else:
        service = Service(settings, lasting=lasting)
    try:
        # before the listener exists, so that every accepted connection is answered
        await service.start()
        proxy = proxy_of(settings, service, mitmproxy)
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


def proxy_of(settings: Settings, service: Service, mitmproxy: ScriptsAndModes | None) -> Proxy | MitmproxyServer:
    """Return the proxy for a service, which is ready to run. Raises ConfigError and OptionsError."""
    listening = partial(announce, settings, service, mitmproxy.modes if mitmproxy else ())
    limits = ConnectionLimits(settings.limits.connections_per_client, max_descriptors())
    if mitmproxy is None:
        return Proxy(settings, service, listening, limits)
    from addon.frontend.mitm.serve.serving import MitmproxyServer  # slow to import, and seldom needed

    return MitmproxyServer(settings, service, mitmproxy, listening, limits=limits, log=access_log(settings))
