"""The supervisor: a process that starts the workers, and does with all of them what people ask for.

It serves no clients. It has neither threads nor epoll, so that it can fork at any time: nothing of either would work in
the new process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence

import typer

from addon.config.errors import ConfigError
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.reload import FIXED_WITH_WORKERS, changed_keys, refuse_fixed
from addon.config.settings import Settings
from addon.frontend.listener import BACKLOG
from addon.runtime.control import ControlServer
from addon.runtime.leases.server import LeaseServer
from addon.runtime.signals import operator_signals
from addon.serve.announcement import announce
from addon.serve.front_end import known_certificates, tls_of
from addon.serve.listening_sockets import close_all
from addon.serve.own_ca import make_ca
from addon.serve.workers.worker_process import WorkerFailed
from addon.serve.workers.worker_set import WorkerSet

logger = logging.getLogger(__name__)


def supervise(settings: Settings, load: Callable[[], Configuration], sockets: Sequence[socket.socket]) -> int:
    """Run a proxy with several workers until it is stopped, and return its exit code.

    Args:
        settings: The operator's settings.
        load: Reads them again, at each SIGHUP. Raises ConfigError.
        sockets: Bound sockets for clients.
    """
    # what exists now is shared by all workers, and collecting garbage would copy it
    gc.collect()
    gc.freeze()
    try:
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            return runner.run(Supervisor(settings, load, sockets).run())
    except WorkerFailed as error:
        typer.echo(f"secondhand: {error}", err=True)
        return error.code


def _event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that has nothing in the kernel: a forked process would share that."""
    return asyncio.SelectorEventLoop(selectors.PollSelector())


class Supervisor:
    """The supervisor of one proxy."""

    def __init__(self, settings: Settings, load: Callable[[], Configuration], sockets: Sequence[socket.socket]) -> None:
        self._settings = settings
        self._load = load
        self._sockets = sockets
        self._leases = LeaseServer(settings.store.directory)
        self._workers = WorkerSet(sockets, self._leases.path)
        self._control = ControlServer(settings.store.directory, self._workers.commands.handlers, in_thread=False)
        self._stopped = asyncio.Event()
        self._told_to_reload = asyncio.Event()

    async def run(self) -> int:
        """Start the workers; end them when told to, and return the exit code. Raises WorkerFailed."""
        operator_signals.handle(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGQUIT: self._stop_at_once,
                signal.SIGUSR1: self._reopen_logs,
                signal.SIGHUP: self._told_to_reload.set,
            }
        )
        loop = asyncio.get_running_loop()
        serving, stopping = loop.create_task(self._serve()), loop.create_task(self._stopped.wait())
        try:
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            serving.cancel()
            stopping.cancel()
            await asyncio.gather(serving, stopping, return_exceptions=True)
            close_all(self._sockets)
            await self._workers.stop()
            await self._control.close()
            await self._leases.close()
        return 0

    async def _serve(self) -> None:
        """Start the workers, and then reload the settings whenever told to. Raises WorkerFailed."""
        await self._serve_leases()
        await self._workers.start(self._settings)
        for each in self._sockets:
            each.listen(BACKLOG)  # the workers do so, too, but perhaps later than the next lines are read
        await self._control.start()
        host, port = self._sockets[0].getsockname()[:2]
        workers = self._workers.serving
        announce(self._settings, workers[0].store, (), host, port)
        typer.echo(f"its {len(workers)} workers are the processes {', '.join(str(each.pid) for each in workers)}")
        while True:
            await self._told_to_reload.wait()
            self._told_to_reload.clear()
            self._reopen_logs()
            await self._reload()

    async def _serve_leases(self) -> None:
        """Let the workers share their fetches. Without that they work as well."""
        try:
            await self._leases.start()
        except OSError as error:
            logger.warning("each worker fetches for itself: %s", error)

    async def _reload(self) -> None:
        """Read the settings again, and start workers with them; or log what is wrong with them and change nothing."""
        old, modes = self._settings, None
        try:
            new = self._load()
            refuse_fixed(old, new, FIXED_WITH_WORKERS)
            make_ca(new.settings)
            tls_of(new.settings, known_certificates(), time.time)
            redaction.shows_queries = new.settings.log.queries
            logging.getLogger().setLevel(new.settings.log.level.upper())
            if (old.cache.mode, old.cache.modes) != (new.settings.cache.mode, new.settings.cache.modes):
                modes = self._workers.commands.forget_modes()
            await self._workers.start(new.settings)
        except (ConfigError, ValueError, OSError, WorkerFailed) as error:
            redaction.shows_queries = old.log.queries
            logging.getLogger().setLevel(old.log.level.upper())
            if modes is not None:
                self._workers.commands.remember_modes(modes)
            for line in str(error).splitlines():
                logger.error("settings not reloaded: %s", line)
            return
        self._settings = new.settings
        changed = ", ".join(changed_keys(old, new.settings))
        logger.warning("settings reloaded: %s", changed or "nothing has changed")

    # ---- signals

    def _stop(self) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once."""
        if self._stopped.is_set():
            self._workers.send(signal.SIGQUIT)
        self._stopped.set()

    def _stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self._workers.send(signal.SIGQUIT)
        self._stopped.set()

    def _reopen_logs(self) -> None:
        self._workers.send(signal.SIGUSR1)
