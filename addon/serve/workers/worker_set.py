"""The workers of a proxy: those that start, those that serve, and those that drain. Dead ones are replaced."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path

from addon.config.settings import Settings
from addon.frontend.connection_shares import ConnectionShares
from addon.frontend.gateway.request_rates import RequestRates
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.control_client import ControlError
from addon.runtime.exit_codes import FAILED
from addon.serve.proxy import HANDOVER_GRACE
from addon.serve.workers.backoff import Backoff
from addon.serve.workers.hanging_workers import kill_hanging
from addon.serve.workers.share import share_of
from addon.serve.workers.shared_commands import SharedCommands
from addon.serve.workers.worker import Assignment
from addon.serve.workers.worker_process import WorkerFailed, WorkerProcess

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that workers get to accept no more clients, and beyond `drain_timeout` to write what they have stored.

After the latter they are killed.
"""

START_TIMEOUT = 60.0
"""Seconds in which a worker must be ready to serve clients; one that hangs is killed."""


class WorkerSet:
    """The workers.

    Attributes:
        serving: The workers that accept clients.
        alive: All workers whose processes run.
        commands: The control commands, which all workers answer together.
    """

    def __init__(self, sockets: Sequence[socket.socket], lease_socket: Path) -> None:
        """Begin without workers; they will accept clients on bound sockets, and ask for leases at another."""
        self.serving: list[WorkerProcess] = []
        self.alive: set[WorkerProcess] = set()
        self.commands = SharedCommands(self._ready)
        self._sockets = sockets
        self._lease_socket = lease_socket
        self._rates = RequestRates()
        self._shares = ConnectionShares()
        self._settings = Settings()
        self._generation = 0
        self._is_stopping = False
        self._backoff = Backoff()
        self._tasks = BackgroundTasks()

    def _ready(self) -> list[WorkerProcess]:
        """Return the workers that answer commands. Those that drain do so, too: they must not store what is purged."""
        return [*self.serving, *(worker for worker in self.alive if worker.is_ready and worker not in self.serving)]

    async def start(self, settings: Settings) -> None:
        """Start a generation of workers with these settings; once all are ready, they take the place of the old ones.

        No connection is accepted by an old one after that, unless it hangs.

        Raises:
            WorkerFailed: one of them cannot serve. The old ones then go on.
        """
        generation = self._generation + 1
        new = [WorkerProcess(number, generation) for number in range(settings.worker_count)]
        started = await asyncio.gather(*(self._start(worker, settings) for worker in new), return_exceptions=True)
        if failures := [failure for failure in started if failure is not None]:
            await asyncio.gather(*(worker.kill() for worker in new if worker in self.alive))
            raise failures[0]
        if dead := next((worker for worker in new if worker.has_ended), None):
            await asyncio.gather(*(worker.kill() for worker in new if worker in self.alive))
            raise WorkerFailed(f"worker {dead.pid} ended before it served clients", FAILED)
        drain_timeout = self._settings.drain_timeout
        self._settings, self._generation = settings, generation
        old, self.serving = self.serving, new
        for worker in new:
            worker.begin()
        if generation == 1:
            self._tasks.begin(kill_hanging(lambda: self.serving))
        for worker in old:
            self._tasks.begin(self._kill_late(worker, drain_timeout))
        await asyncio.gather(*(self._hand_over(worker) for worker in old))

    async def _hand_over(self, worker: WorkerProcess) -> None:
        """Tell a worker that others take its place, and return when it accepts no more clients, if it does not hang."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await worker.hand_over(HANDOVER_GRACE)

    async def _kill_late(self, worker: WorkerProcess, drain_timeout: float) -> None:
        """Wait until a worker has ended, and kill it if it does not."""
        try:
            async with asyncio.timeout(drain_timeout + PATIENCE):
                await worker.ended.wait()
        except TimeoutError:
            logger.error("worker %d does not end in time; it is killed", worker.pid)
            await worker.kill()

    async def _start(self, worker: WorkerProcess, settings: Settings) -> None:
        """Start a worker, and wait until it is ready. Raises WorkerFailed, also if that takes too long."""
        self.alive.add(worker)
        self._tasks.begin(self._watch(worker))
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await self._become_ready(worker, settings)
        except TimeoutError:
            await worker.kill()
            problem = f"worker {worker.pid} was not ready after {START_TIMEOUT:g} seconds, and was killed"
            raise WorkerFailed(problem, FAILED) from None

    async def _become_ready(self, worker: WorkerProcess, settings: Settings) -> None:
        commands = self.commands.state
        own = share_of(settings, worker.number)
        share = self._shares.of(worker.number, worker.generation)
        await worker.start(Assignment(own, self._sockets, self._lease_socket, commands, rates=self._rates, share=share))
        try:
            while commands != self.commands.state:  # people have sent others meanwhile
                commands = self.commands.state
                for command in commands:
                    await worker.ask(command.name, **command.arguments)
        except ControlError as error:
            await worker.kill()
            raise WorkerFailed(str(error), FAILED) from None

    # ---- the death of a worker

    async def _watch(self, worker: WorkerProcess) -> None:
        """Wait for the end of a worker; replace it if it was to serve."""
        await worker.ended.wait()
        self.alive.discard(worker)
        self.commands.worker_ended(worker)
        self._shares.of(worker.number, worker.generation).withdraw()  # one that was killed did not
        if worker in self.serving:
            self.serving.remove(worker)
            logger.error("worker %d %s; another one takes its place", worker.pid, worker.end)
            await self._replace(worker)

    async def _replace(self, dead: WorkerProcess) -> None:
        lived = time.monotonic() - dead.started
        while True:
            if pause := self._backoff.after(lived):
                logger.error("workers die soon after their start; the next one starts in %g seconds", pause)
                await asyncio.sleep(pause)
            if self._is_stopping or dead.generation != self._generation:
                return
            worker = WorkerProcess(dead.number, dead.generation)
            try:
                await self._start(worker, self._settings)
            except WorkerFailed as error:
                logger.error("a worker cannot start: %s", error)
                lived = 0.0
                continue
            if self._is_stopping or worker.generation != self._generation:
                await worker.stop()
                return
            self.serving.append(worker)
            worker.begin()
            logger.warning("worker %d has begun to serve", worker.pid)
            return

    async def are_alive(self, seconds: float) -> bool:
        """Return whether a worker that serves clients responds within so many seconds; others are being replaced."""
        return any(await asyncio.gather(*(worker.responds(seconds) for worker in self.serving)))

    # ---- the end

    def send(self, number: int) -> None:
        """Send a signal to all workers."""
        for worker in self.alive:
            worker.send(number)

    async def stop(self, grace: float | None = None) -> None:
        """End all workers after the responses under way, in `drain_timeout` at most; for `grace`, see `Proxy.stop`."""
        await self._end(lambda worker: worker.stop(grace))

    async def hand_over(self) -> None:
        """End all workers in favour of another program that accepts clients on the same sockets."""
        await self._end(lambda worker: worker.hand_over(HANDOVER_GRACE))

    async def _end(self, tell: Callable[[WorkerProcess], Coroutine[None, None, None]]) -> None:
        """Tell the workers to end, and wait until all processes have ended; kill those that do not, or only start."""
        self._is_stopping = True
        self.serving.clear()
        for worker in self.alive:
            if worker.is_ready:
                self._tasks.begin(tell(worker))
            else:
                worker.send(signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_timeout + PATIENCE):
                await asyncio.gather(*(worker.ended.wait() for worker in self.alive))
        for worker in list(self.alive):
            logger.error("worker %d does not end in time; it is killed", worker.pid)
            await worker.kill()
        await self._tasks.close()
