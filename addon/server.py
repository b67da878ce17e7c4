"""`secondhand serve`: the cache, and our own front end or a mitmproxy that listens for it."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from mitmproxy import exceptions

from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.reload import changed_keys, refuse_fixed
from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import Connections
from addon.frontend.frontend import Frontend
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.handler import Handler
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets
from addon.frontend.http2.connection import Http2Connection
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.leaf_certificates import LeafContexts
from addon.frontend.listener import Listener
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.programs.trust.ca import ca_certificate
from addon.runtime.access_log import AccessLog
from addon.runtime.draining import Draining
from addon.runtime.event_loop import run
from addon.runtime.signals import operator_signals
from addon.service import Service
from cache.policy.operator_rules import glob
from cache.stores.memory import MemoryStore

if TYPE_CHECKING:
    from addon.frontend.mitm.serve.serving import MitmproxyServer

logger = logging.getLogger(__name__)

FAILED, MISCONFIGURED = 1, 2

SCHEMES = {"regular": "http", "upstream": "http", "reverse": "http", "socks5": "socks5h"}
"""The scheme of the proxy's address for clients, by the mode of mitmproxy. The other modes have no such address."""

GC_THRESHOLD = 10_000
"""New objects after which Python collects garbage: more than wait for the store's writer at a time."""


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


def allow_many_connections() -> None:
    """Raise this process's limit of open files to what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def max_descriptors() -> int:
    """Return how many files and sockets this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def tune_garbage_collector() -> None:
    """Leave the objects that exist now, some hundred thousand, out of every garbage collection from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])


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


def make_ca(settings: Settings) -> None:
    """Make the CA for intercepted TLS if there is none. Raises ConfigError if it cannot be used."""
    try:
        ca_certificate(settings.tls.ca_directory)
    except OSError as error:
        raise ConfigError(Fault("settings", "tls.directory", str(error))) from None


def proxy_of(settings: Settings, service: Service, mitmproxy: ScriptsAndModes | None) -> Proxy | MitmproxyServer:
    """Return the proxy for a service, which is ready to run. Raises ConfigError and OptionsError."""
    listening = partial(announce, settings, service, mitmproxy.modes if mitmproxy else ())
    limits = ConnectionLimits(settings.limits.connections_per_client, max_descriptors())
    if mitmproxy is None:
        return Proxy(settings, service, listening, limits)
    from addon.frontend.mitm.serve.serving import MitmproxyServer  # slow to import, and seldom needed

    return MitmproxyServer(settings, service, mitmproxy, listening, limits=limits, log=access_log(settings))


class Proxy:
    """Our front end with its listener.

    Attributes:
        draining: The end of the proxy.
        settings: The settings in force.
        listener: The listener.
    """

    def __init__(
        self,
        settings: Settings,
        service: Service,
        listening: Callable[[str, int], None],
        limits: ConnectionLimits,
    ) -> None:
        """Call `listening` with host and port once clients are accepted. Raises ConfigError."""
        self.draining = Draining()
        self.settings = settings
        self._service = service
        self._listening = listening
        self._stopped = asyncio.Event()
        self.listener = listener_of(settings, service, limits)

    async def run(self) -> None:
        """Accept clients until `stop`; then let responses under way end, and stop everything."""
        await self.listener.start(*self.settings.address)
        self._listening(*self.listener.address)
        await self._stopped.wait()
        await self.draining.wait_for(self._drain(), self.settings.drain_timeout)
        await self.listener.close()

    def stop(self) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once."""
        self.draining.begin()
        self._stopped.set()

    def stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self.draining.begin_at_once()
        self._stopped.set()

    async def _drain(self) -> None:
        await self.listener.drain()
        await self._service.drain()

    def reopen_log(self) -> None:
        """Write the waiting lines of the access log. Its file is opened for each write, so a new one is used then."""
        if self.access_log:
            self.access_log.flush()

    @property
    def access_log(self) -> AccessLog | None:
        """The access log in use."""
        return self.listener.handler.frontend.connections.log

    def reload(self, settings: Settings, log: AccessLog | None) -> None:
        """Use other settings from the next request on, and another access log.

        Raises:
            ConfigError: they are invalid.
            ValueError: an option about origins is invalid. In both cases nothing has changed.
        """
        self._service.reload(settings)
        self.settings = settings
        self.listener.handler.use_limits(settings.limits)
        frontend = self.listener.handler.frontend
        frontend.leave_alone = tuple(glob(host) for host in settings.tls.leave_alone)
        frontend.connections.limits.per_client = settings.limits.connections_per_client
        self.listener.use_log(log)


def announce(settings: Settings, service: Service, modes: Sequence[str], host: str, port: int) -> None:
    """Print where the proxy is, once it listens, and make ready for many requests."""
    if port:
        service.listens_at(host, port)
    tune_garbage_collector()
    first, shown = _kind(modes[0]) if modes else "regular", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    scheme = SCHEMES.get(first)
    typer.echo(f"secondhand listens on {f'{scheme}://' if scheme else ''}{shown if port else modes[0]}")
    for mode in modes[1:]:
        typer.echo(f"it also listens in the mode {mode}")
    typer.echo(f"its copies are in {store_place(settings, service)}")
    if settings.edge or first == "reverse":
        typer.echo(f"try it twice: curl -i http://{shown}/")
    elif scheme:
        typer.echo(f"try it twice: curl -i -x {scheme}://{shown} http://example.org/")
    sys.stdout.flush()


def _kind(mode: str) -> str:
    """Return the name of one of mitmproxy's modes, without its address."""
    return re.split("[:@]", mode)[0]


def store_place(settings: Settings, service: Service) -> str:
    """Return where the stored responses are, in words."""
    if problem := service.store_problem:
        return f"no store: {problem}; responses are passed on and not stored"
    return "memory, until it stops" if isinstance(service.store, MemoryStore) else str(settings.store.directory)


def reload(proxy: Proxy | MitmproxyServer, load: Callable[[], Configuration]) -> None:
    """Read the settings again and use them, or log what is wrong with them and change nothing."""
    proxy.reopen_log()
    old = proxy.settings
    try:
        new = load()
        refuse_fixed(old, new)
        settings = new.settings
        proxy.reload(settings, access_log(settings) if settings.log.access != old.log.access else proxy.access_log)
        logging.getLogger().setLevel(settings.log.level.upper())
        redaction.shows_queries = settings.log.queries
    except (ConfigError, ValueError, OSError, exceptions.OptionsError) as error:
        for line in str(error).splitlines():
            logger.error("settings not reloaded: %s", line)
    else:
        changed = ", ".join(changed_keys(old, new.settings))
        logger.warning("settings reloaded: %s", changed or "nothing has changed")


def access_log(settings: Settings) -> AccessLog | None:
    """Return the access log that the settings name, if any. Raises ConfigError if it cannot be written."""
    if not settings.log.access:
        return None
    log = AccessLog(Path(settings.log.access).expanduser())
    try:
        log.check()
    except OSError as error:
        problem = f'found "{settings.log.access}", expected a file that can be written: {error.strerror}'
        raise ConfigError(Fault("settings", "log.access", problem)) from None
    return log


def targets_of(settings: Settings) -> RequestTargets:
    """Return how request targets on the listener are read."""
    return GatewayTargets(settings.backend) if settings.backend else ForwardProxyTargets()


def listener_of(settings: Settings, service: Service, limits: ConnectionLimits) -> Listener:
    """Return the public listener, with the front end behind it."""
    log = access_log(settings)
    fast_path = FastPath(service.active, service.counters, service.clock, settings.memory.hot_size, log)
    connections = Connections(limits, service.clock, log, each_second=fast_path.report_uses)
    certificates = LeafContexts(settings.tls.ca_directory)
    leave_alone = tuple(glob(host) for host in settings.tls.leave_alone)
    frontend = Frontend(service, connections, certificates, leave_alone)
    http2 = Http2Handler(frontend, fast_path)
    return Listener(Handler(frontend, fast_path, partial(Http2Connection, http2)), targets_of(settings))
