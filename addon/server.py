"""`secondhand serve`: the listener, the cache, and a mitmproxy with only the addons that these need."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import typer
from mitmproxy import exceptions, master, options
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver, script, tlsconfig

from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.reload import changed_keys, refuse_fixed
from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import Connections
from addon.frontend.frontend import Frontend, HandOver
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.handler import Handler
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets
from addon.frontend.http2.connection import Http2Connection
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.leaf_certificates import LeafContexts
from addon.frontend.listener import Listener
from addon.frontend.mitm.draining import drain
from addon.frontend.mitm.handover import MitmproxyHandover
from addon.frontend.mitm.hooks import Hooks
from addon.frontend.mitm.origin_options import OriginOptionsOfMitmproxy
from addon.runtime.access_log import AccessLog
from addon.runtime.draining import Draining
from addon.runtime.event_loop import run
from addon.runtime.signals import operator_signals
from addon.service import Service
from cache.policy.operator_rules import glob
from cache.stores.memory import MemoryStore

logger = logging.getLogger(__name__)

FAILED, MISCONFIGURED = 1, 2

GC_THRESHOLD = 10_000
"""New objects after which Python collects garbage: more than wait for the store's writer at a time."""


def serve(
    settings: Settings,
    load: Callable[[], Configuration],
    scripts: Sequence[str] = (),
    *,
    door: bool = True,
    lasting: bool = True,
) -> int:
    """Run the proxy until it is stopped.

    Args:
        settings: The operator's settings.
        load: Reads them again, at each SIGHUP. Raises ConfigError.
        scripts: Files of other mitmproxy addons. They see every request, so mitmproxy then listens in place of our
            front end.
        door: Listen with our own front end; mitmproxy's listener otherwise.
        lasting: The proxy outlives a single command, so that people may switch its mode.

    Returns:
        The exit code: 0, 1 if it cannot run, 2 for invalid settings.
    """
    redaction.install()
    redaction.shows_queries = settings.log.queries
    logging.basicConfig(
        level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    if problem := unusable_address(*settings.address):
        typer.echo(f"secondhand: cannot listen on {settings.listen}: {problem}", err=True)
        return FAILED
    allow_many_connections()
    try:
        return run(_run(settings, load, scripts, door=door and not scripts, lasting=lasting))
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
    settings: Settings, load: Callable[[], Configuration], scripts: Sequence[str], *, door: bool, lasting: bool
) -> int:
    service = Service(settings, lasting=lasting)
    try:
        # before the listener exists, so that every accepted connection is answered
        await service.start()
        proxy = Proxy(settings, service, scripts, door=door)
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


class Proxy(master.Master):
    """mitmproxy with the addons that a caching proxy needs, and our front end before it."""

    def __init__(self, settings: Settings, service: Service, scripts: Sequence[str] = (), *, door: bool = True) -> None:
        super().__init__(options.Options(), event_loop=asyncio.get_running_loop(), with_termlog=False)
        self._settings = settings
        self._service = service
        self._proxyserver = proxyserver.Proxyserver()
        self._hooks = Hooks(self._ready)
        self.draining = Draining()
        for addon in (
            core.Core(),
            self._proxyserver,
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            errorcheck.ErrorCheck(repeat_errors_on_stderr=True),
            self._hooks,
        ):
            self.addons.add(addon)
        if scripts:
            self.addons.add(script.ScriptLoader())
        host, port = settings.address
        self.options.update(
            server=not door,
            listen_host=host,
            listen_port=port,
            mode=[f"reverse:{settings.edge}" if settings.edge else "regular"],
            # origins make their links from the name that the client used
            keep_host_header=True,
            confdir=str(settings.tls.ca_directory),
            # a copy must be served while its origin is down, so the origin is not contacted beforehand
            connection_strategy="lazy",
            upstream_cert=False,
            **({"scripts": list(scripts)} if scripts else {}),
        )
        self._origin_options = OriginOptionsOfMitmproxy(self.options, settings.origin)
        admission = ConnectionLimits(settings.limits.connections_per_client, max_descriptors())
        self._hand_over = MitmproxyHandover(self._proxyserver, admission.release)
        self.listener = listener_of(settings, service, self._hand_over, admission) if door else None

    async def _ready(self) -> Service:
        return self._service

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port, once the proxy listens."""
        if self.listener:
            return self.listener.address
        host, port = self._proxyserver.listen_addrs()[0][:2]
        return host, port

    async def running(self) -> None:
        """Start the listener, and print where the proxy is."""
        await super().running()
        if self.listener:
            await self.listener.start(*self._settings.address)
        host, port = self.address
        self._service.listens_at(host, port)
        tune_garbage_collector()
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"secondhand listens on http://{shown}:{port}")
        typer.echo(f"its copies are in {self._store_place()}")
        target = f"http://{shown}:{port}/" if self._settings.edge else f"-x http://{shown}:{port} http://example.org/"
        typer.echo(f"try it twice: curl -i {target}")
        sys.stdout.flush()

    def stop(self) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once."""
        self.draining.begin()
        self.should_exit.set()

    def stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self.draining.begin_at_once()
        self.should_exit.set()

    async def done(self) -> None:
        """Let responses under way end, then stop everything."""
        await self.draining.wait_for(self._drain(), self._settings.drain_timeout)
        if self.listener:
            await self.listener.close()
            await self._hand_over.close()
        await super().done()
        self._origin_options.close()

    async def _drain(self) -> None:
        self._hooks.keep_connections = False
        ended = [drain(self._proxyserver, self._hooks.under_way.clients)]
        if self.listener:
            ended.append(self.listener.drain())
        await asyncio.gather(*ended)
        await self._service.drain()

    def reopen_log(self) -> None:
        """Write the waiting lines of the access log. Its file is opened for each write, so a new one is used then."""
        if self.listener and (log := self.listener.handler.frontend.connections.log):
            log.flush()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def reload(self, settings: Settings) -> None:
        """Use other settings from the next request on.

        Raises:
            ConfigError: they are invalid, or the access log cannot be written.
            ValueError: an option about origins is invalid.
            OptionsError: mitmproxy refuses such an option.
            OSError: a CA file cannot be read. In all cases nothing has changed.
        """
        old = self._settings
        has_other_log = settings.log.access != old.log.access
        log = access_log(settings) if has_other_log else None
        with self._origin_options.replaced(settings.origin):
            self._service.reload(settings)
        self._settings = settings
        logging.getLogger().setLevel(settings.log.level.upper())
        redaction.shows_queries = settings.log.queries
        if self.listener:
            self.listener.handler.use_limits(settings.limits)
            frontend = self.listener.handler.frontend
            frontend.leave_alone = tuple(glob(host) for host in settings.tls.leave_alone)
            frontend.connections.limits.per_client = settings.limits.connections_per_client
            if has_other_log:
                self.listener.use_log(log)

    def _store_place(self) -> str:
        if problem := self._service.store_problem:
            return f"no store: {problem}; responses are passed on and not stored"
        store = self._service.store
        return "memory, until it stops" if isinstance(store, MemoryStore) else str(self._settings.store.directory)


def reload(proxy: Proxy, load: Callable[[], Configuration]) -> None:
    """Read the settings again and use them, or log what is wrong with them and change nothing."""
    proxy.reopen_log()
    old = proxy.settings
    try:
        new = load()
        refuse_fixed(old, new)
        proxy.reload(new.settings)
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


def listener_of(settings: Settings, service: Service, hand_over: HandOver, limits: ConnectionLimits) -> Listener:
    """Return the public listener, with the front end behind it."""
    log = access_log(settings)
    fast_path = FastPath(service.active, service.counters, service.clock, settings.memory.hot_size, log)
    connections = Connections(limits, service.clock, log, each_second=fast_path.report_uses)
    certificates = LeafContexts(settings.tls.ca_directory)
    leave_alone = tuple(glob(host) for host in settings.tls.leave_alone)
    frontend = Frontend(service, connections, certificates, hand_over, leave_alone)
    http2 = Http2Handler(frontend, fast_path)
    return Listener(Handler(frontend, fast_path, partial(Http2Connection, http2)), targets_of(settings))
