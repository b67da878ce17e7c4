"""`secondhand serve`: a lean mitmproxy with this cache in it, no more addons than a forward proxy needs."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import typer
from mitmproxy import exceptions, master, options
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver, script, tlsconfig

from addon.config.errors import ConfigError
from addon.config.settings import Settings
from addon.frontend.connect.leaf_certificates import LeafContexts
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.http1.frontend import Door
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets
from addon.frontend.listener import Listener
from addon.frontend.mitm.handover import HandOver
from addon.frontend.mitm.hooks import Hooks
from addon.runtime.access_log import AccessLog
from addon.runtime.event_loop import run
from addon.service import Service
from cache.policy.rules import glob
from cache.stores.memory import MemoryStore

logger = logging.getLogger(__name__)

FAILED, MISCONFIGURED = 1, 2

NEW_OBJECTS = 10_000
"""Objects after which Python looks for garbage among them: more than wait for the store's writer at a time."""

PATIENCE = 10.0
"""Seconds that answers under way have to end when the proxy is told to stop."""


def serve(settings: Settings, scripts: Sequence[str] = (), *, door: bool = True, lasting: bool = True) -> int:
    """Run the proxy until it is told to stop.

    Args:
        settings: What the operator set.
        scripts: Files of other people's addons, which see every request; they leave no room for the door.
        door: Take clients in through the fast lane.
        lasting: It is there for more than one command, so that people may switch it.

    Returns:
        The exit code: 0, 1 where it cannot run, 2 for bad settings.
    """
    logging.basicConfig(
        level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    if trouble := unusable_address(*settings.address):
        typer.echo(f"secondhand: cannot listen on {settings.listen}: {trouble}", err=True)
        return FAILED
    allow_many_connections()
    try:
        return run(_run(settings, scripts, door=door and not scripts, lasting=lasting))
    except (ConfigError, ValueError, exceptions.OptionsError) as error:
        typer.echo(f"secondhand: {error}", err=True)
        return MISCONFIGURED


def allow_many_connections() -> None:
    """Raise this process's limit of open files to what the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def most_descriptors() -> int:
    """Return how many files and sockets this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def spare_the_collector() -> None:
    """Leave what is there for good, some hundred thousand objects, out of every search for garbage from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def unusable_address(host: str, port: int) -> str | None:
    """Return why nobody can listen there, or None."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


async def _run(settings: Settings, scripts: Sequence[str], *, door: bool, lasting: bool) -> int:
    service = Service(settings, lasting=lasting)
    try:
        # before the listener exists, so that whoever gets a connection gets an answer
        await service.start()
        proxy = Proxy(settings, service, scripts, door=door)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, proxy.shutdown)
        await proxy.run()
        return 0
    finally:
        await service.close()


class Proxy(master.Master):
    """mitmproxy with what a caching proxy needs, and the door in front of it."""

    def __init__(self, settings: Settings, service: Service, scripts: Sequence[str] = (), *, door: bool = True) -> None:
        super().__init__(options.Options(), event_loop=asyncio.get_running_loop(), with_termlog=False)
        self._settings = settings
        self._service = service
        self._proxyserver = proxyserver.Proxyserver()
        self.addons.add(
            core.Core(),
            self._proxyserver,
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            errorcheck.ErrorCheck(repeat_errors_on_stderr=True),
            Hooks(self._ready),
        )
        if scripts:
            self.addons.add(script.ScriptLoader())
        host, port = settings.address
        self.options.update(
            server=not door,
            listen_host=host,
            listen_port=port,
            mode=[f"reverse:{settings.edge}" if settings.edge else "regular"],
            # the origin builds its links from the name that the client used
            keep_host_header=True,
            confdir=str(settings.tls.ca_directory),
            # a copy must be served while its origin is gone, so nothing is asked of the origin beforehand
            connection_strategy="lazy",
            upstream_cert=False,
            **trusted(settings),
            **({"scripts": list(scripts)} if scripts else {}),
        )
        admission = ConnectionLimits(settings.limits.connections_per_client, most_descriptors())
        self._hand_over = HandOver(self._proxyserver, admission.release)
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
        """Let clients in, and say where the proxy is."""
        await super().running()
        if self.listener:
            await self.listener.start(*self._settings.address)
        host, port = self.address
        self._service.listens_at(host, port)
        spare_the_collector()
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"secondhand listens on http://{shown}:{port}")
        typer.echo(f"its copies are in {self._place()}")
        way = f"http://{shown}:{port}/" if self._settings.edge else f"-x http://{shown}:{port} http://example.org/"
        typer.echo(f"try it twice: curl -i {way}")
        sys.stdout.flush()

    async def done(self) -> None:
        """Let answers under way end, then everything."""
        if self.listener:
            await self.listener.close(PATIENCE)
            await self._hand_over.close()
        await super().done()

    def _place(self) -> str:
        if trouble := self._service.store_trouble:
            return f"no store: {trouble}; answers are served and not stored"
        store = self._service.store
        return "memory, until it stops" if isinstance(store, MemoryStore) else str(self._settings.store.directory)


def arrival_of(settings: Settings) -> RequestTargets:
    """Return where connections to this proxy lead."""
    return GatewayTargets(settings.backend) if settings.backend else ForwardProxyTargets()


def listener_of(settings: Settings, service: Service, hand_over: HandOver, admission: ConnectionLimits) -> Listener:
    """Return the public listener of the door."""
    door = Door(
        service,
        LeafContexts(settings.tls.ca_directory),
        hand_over,
        admission,
        arrival_of(settings),
        settings.memory.hot_size,
        AccessLog(Path(settings.log.access).expanduser()) if settings.log.access else None,
        tuple(glob(host) for host in settings.tls.leave_alone),
    )
    return Listener(door)


def trusted(settings: Settings) -> dict[str, str]:
    """Return the mitmproxy options that make it trust whom our own origin connections trust."""
    system = ssl.get_default_verify_paths()
    trusting = {"ssl_verify_upstream_trusted_confdir": system.capath} if system.capath else {}
    files = [name for name in (system.cafile, *settings.origin.ca_files) if name]
    if not files:
        return trusting
    if len(files) == 1:
        return {**trusting, "ssl_verify_upstream_trusted_ca": files[0]}
    # mitmproxy takes one file
    with tempfile.NamedTemporaryFile("w", prefix="secondhand-", suffix=".pem", delete=False) as bundle:
        for name in files:
            bundle.write(Path(name).expanduser().read_text())
    return {**trusting, "ssl_verify_upstream_trusted_ca": bundle.name}
