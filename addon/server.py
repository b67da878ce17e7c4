"""`secondhand serve`: a lean mitmproxy with this cache in it, no more addons than a forward proxy needs."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
import tempfile
from pathlib import Path

import typer
from mitmproxy import master, options
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver, tlsconfig

from addon.faults import ConfigError
from addon.hooks import Hooks
from addon.service import Service
from addon.settings import Settings

logger = logging.getLogger(__name__)

FAILED, MISCONFIGURED = 1, 2


def serve(settings: Settings) -> int:
    """Run the proxy until it is told to stop. Return the exit code: 0, 1 where it cannot run, 2 for bad settings."""
    logging.basicConfig(
        level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    if trouble := unusable_address(*settings.address):
        typer.echo(f"secondhand: cannot listen on {settings.listen}: {trouble}", err=True)
        return FAILED
    try:
        return asyncio.run(_run(settings))
    except (ConfigError, ValueError) as error:
        typer.echo(f"secondhand: {error}", err=True)
        return MISCONFIGURED


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


async def _run(settings: Settings) -> int:
    service = Service(settings)
    try:
        # before the listener exists, so that whoever gets a connection gets an answer
        await service.start()
        proxy = Proxy(settings, service)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, proxy.shutdown)
        await proxy.run()
        return 0
    finally:
        await service.close()


class Proxy(master.Master):
    """mitmproxy with what a caching forward proxy needs."""

    def __init__(self, settings: Settings, service: Service) -> None:
        super().__init__(options.Options(), event_loop=asyncio.get_running_loop(), with_termlog=False)
        self._settings = settings
        self._service = service
        self._listener = proxyserver.Proxyserver()
        self.addons.add(
            core.Core(),
            self._listener,
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            errorcheck.ErrorCheck(repeat_errors_on_stderr=True),
            Hooks(self._ready),
        )
        host, port = settings.address
        self.options.update(
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
        )

    async def _ready(self) -> Service:
        return self._service

    async def running(self) -> None:
        """Say where the proxy is, now that it listens."""
        await super().running()
        host, port = self._listener.listen_addrs()[0][:2]
        self._service.listens_at(host, port)
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"secondhand listens on http://{shown}:{port}")
        typer.echo(f"its copies are in {self._place()}")
        way = f"http://{shown}:{port}/" if self._settings.edge else f"-x http://{shown}:{port} http://example.org/"
        typer.echo(f"try it twice: curl -i {way}")
        sys.stdout.flush()

    def _place(self) -> str:
        if trouble := self._service.store_trouble:
            return f"no store: {trouble}; answers are served and not stored"
        store = self._settings.store
        return str(store.directory) if store.kind == "disk" else "memory, until it stops"


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
