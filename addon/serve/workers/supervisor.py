"""The supervisor: starts workers on shared sockets, replaces those that die, and ends them. It serves no clients.

It has neither threads nor epoll, so that it can fork at any time: nothing of either would work in the new process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import selectors
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

import typer

from addon.config.load import Configuration
from addon.config.settings import Settings
from addon.runtime.control import ControlServer
from addon.runtime.draining import Draining
from addon.runtime.leases.server import LeaseServer
from addon.runtime.signals import operator_signals
from addon.serve.announcement import announce
from addon.serve.listening_sockets import close_all
from addon.serve.workers.backoff import Backoff
from addon.serve.workers.share import share_of
from addon.serve.workers.shared_commands import SharedCommands
from addon.serve.workers.worker import Assignment
from addon.serve.workers.worker_process import WorkerFailed, WorkerProcess

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that workers get beyond `drain_timeout` to write what they have stored. After that they are killed."""


def supervise(settings: Settings, load: Callable[[], Configuration], sockets: Sequence[socket.socket]) -> int:
    """Run a proxy with several workers until it is stopped, and return its exit code.

    Args:
        settings: The operator's settings.
        load: Reads them again. Raises ConfigError.
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
    """The workers of one proxy."""

    def __init__(self, settings: Settings, load: Callable[[], Configuration], sockets: Sequence[socket.socket]) -> None:
        self._settings = settings
        self._load = load
        self._sockets = sockets
        self._serving: list[WorkerProcess] = []
        self._alive: set[WorkerProcess] = set()
        """Those that serve, those that start, and those that drain."""
        self._commands = SharedCommands(lambda: self._serving)
        self._control = ControlServer(settings.store.directory, self._commands.handlers, in_thread=False)
        self._leases = LeaseServer(settings.store.directory)
        self._backoff = Backoff()
        self._draining = Draining()
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Start the workers; end them when told to, and return the exit code. Raises WorkerFailed."""
        operator_signals.handle(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGQUIT: self._stop_at_once,
                signal.SIGUSR1: self._reopen_logs,
                signal.SIGHUP: self._reload,
            }
        )
        beginning = asyncio.get_running_loop().create_task(self._begin_to_serve())
        stopping = asyncio.get_running_loop().create_task(self._stopped.wait())
        try:
            await asyncio.wait([beginning, stopping], return_when=asyncio.FIRST_COMPLETED)
            if beginning.done():
                beginning.result()
                await stopping
        finally:
            for task in (beginning, stopping):
                task.cancel()
            await self._end()
        return 0

    # ---- the start

    async def _begin_to_serve(self) -> None:
        settings = self._settings
        await self._serve_leases()
        workers = [WorkerProcess(number) for number in range(settings.worker_count)]
        await asyncio.gather(*map(self._start, workers))
        await self._control.start()
        host, port = self._sockets[0].getsockname()[:2]
        announce(settings, workers[0].store, (), host, port)
        typer.echo(f"its {len(workers)} workers are the processes {', '.join(str(each.pid) for each in workers)}")

    async def _serve_leases(self) -> None:
        """Let the workers share their fetches. Without that they work as well."""
        try:
            await self._leases.start()
        except OSError as error:
            logger.warning("each worker fetches for itself: %s", error)

    async def _start(self, worker: WorkerProcess) -> None:
        """Start a worker, and count it among those that serve. Raises WorkerFailed."""
        self._alive.add(worker)
        self._do(self._watch(worker))
        commands, settings = self._commands.state, share_of(self._settings, worker.number)
        await worker.start(Assignment(settings, self._sockets, self._leases.path, commands))
        while commands != self._commands.state:  # people have sent others meanwhile
            commands = self._commands.state
            for command in commands:
                await worker.ask(command.name, **command.arguments)
        self._serving.append(worker)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- the death of a worker

    async def _watch(self, worker: WorkerProcess) -> None:
        """Wait for the end of a worker; replace it if nobody has told it to end."""
        await worker.ended.wait()
        self._alive.discard(worker)
        self._commands.worker_ended(worker)
        if worker not in self._serving:
            return
        self._serving.remove(worker)
        if worker.is_draining:
            return
        logger.error("worker %d %s; another one takes its place", worker.pid, worker.end)
        await self._replace(worker.number, lived=time.monotonic() - worker.started)

    async def _replace(self, number: int, *, lived: float) -> None:
        while not self._draining.begun:
            if pause := self._backoff.after(lived):
                logger.error("workers die soon after their start; the next one starts in %g seconds", pause)
                await asyncio.sleep(pause)
            worker = WorkerProcess(number)
            try:
                await self._start(worker)
            except WorkerFailed as error:
                logger.error("a worker cannot start: %s", error)
                lived = 0.0
            else:
                logger.warning("worker %d has begun to serve", worker.pid)
                return

    # ---- signals

    def _stop(self) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once."""
        if self._draining.begun:
            self._send_to_all(signal.SIGQUIT)
        self._draining.begin()
        self._stopped.set()

    def _stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self._send_to_all(signal.SIGQUIT)
        self._draining.begin_at_once()
        self._stopped.set()

    def _reopen_logs(self) -> None:
        self._send_to_all(signal.SIGUSR1)

    def _reload(self) -> None:
        logger.error("settings not reloaded: with several workers this needs a restart")

    def _send_to_all(self, number: int) -> None:
        for worker in self._alive:
            worker.send(number)

    # ---- the end

    async def _end(self) -> None:
        """End all workers, and everything else."""
        self._draining.begin()
        close_all(self._sockets)
        for worker in self._alive:
            if worker.is_ready:
                self._do(worker.drain())
            else:
                worker.send(signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_timeout + PATIENCE):
                await asyncio.gather(*(worker.ended.wait() for worker in self._alive))
        for worker in list(self._alive):
            logger.error("worker %d does not end in time; it is killed", worker.pid)
            await worker.kill()
        await self._control.close()
        await self._leases.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
