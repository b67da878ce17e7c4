"""A worker as its supervisor sees it: a process that becomes ready, serves, drains and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from addon.runtime.channel import Channel
from addon.runtime.control_client import ControlError
from addon.runtime.exit_codes import FAILED
from addon.serve.workers.fork import fork
from addon.serve.workers.worker import Assignment, work

REAP_INTERVAL = 0.01
"""Seconds between two looks whether a process whose connection is closed has ended."""

REAP_TIMEOUT = 5.0
"""Seconds after which such a process is killed."""


class WorkerFailed(Exception):
    """A worker could not begin to serve. The text says why.

    Attributes:
        code: The exit code that it had.
    """

    def __init__(self, problem: str, code: int) -> None:
        super().__init__(problem)
        self.code = code


class WorkerProcess:
    """One worker.

    Attributes:
        number: Its number among those that serve at the same time, from 0.
        generation: The number of the settings that it was started with.
        pid: The id of its process.
        since: When it was started, in seconds since the epoch.
        started: The same on a clock that cannot be set.
        is_draining: It was told to end.
        store: Where its copies are, in words.
        counters: Its counters when they were last asked for, or at its end.
        hosts: Those of each host, at its end.
        metrics: Its metrics when they were last asked for, or at its end.
        ended: Set once the process has ended.
        end: How it has ended, in words.
    """

    def __init__(self, number: int, generation: int) -> None:
        self.number = number
        self.generation = generation
        self.pid = 0
        self.since, self.started = time.time(), time.monotonic()
        self.is_draining = False
        self.store = ""
        self.counters: dict[str, int] = {}
        self.hosts: object = None
        self.metrics: Mapping[str, object] = {}
        self.ended = asyncio.Event()
        self.end = ""
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._told_to_begin = asyncio.Event()
        self._channel = Channel({"ready": self._note_ready, "failed": self._note_failure, "ended": self._note_counters})
        self._waiting: asyncio.Task[None] | None = None

    async def start(self, assignment: Assignment) -> None:
        """Start the process, and wait until it is ready to serve clients. Raises WorkerFailed."""
        try:
            self.pid, connection = fork(partial(work, assignment), assignment.sockets)
        except OSError as error:
            self.ended.set()  # it has no process, so no signal may be sent to it
            raise WorkerFailed(f"no process can be started: {error.strerror}", FAILED) from None
        # a task of its own, since this one may be cancelled, and the end of the process must be noticed in any case
        self._waiting = asyncio.get_running_loop().create_task(self._wait(connection))
        await self._ready

    async def _note_ready(self, arguments: Mapping[str, object]) -> dict[str, object]:
        self.store = str(arguments["store"])
        if not self._ready.done():
            self._ready.set_result(None)
        await self._told_to_begin.wait()
        return {}

    async def _note_failure(self, arguments: Mapping[str, object]) -> dict[str, object]:
        if not self._ready.done():
            self._ready.set_exception(WorkerFailed(str(arguments["problem"]), int(str(arguments["code"]))))
        return {}

    async def _note_counters(self, arguments: Mapping[str, object]) -> dict[str, object]:
        counters = arguments["counters"]
        self.counters = dict(counters) if isinstance(counters, dict) else {}
        self.hosts = arguments["hosts"]
        metrics = arguments.get("metrics")
        self.metrics = metrics if isinstance(metrics, dict) else self.metrics
        return {}

    async def _wait(self, connection: socket.socket) -> None:
        """Talk with the process until it ends."""
        await self._channel.start(connection)
        await self._channel.closed.wait()
        kill_at = time.monotonic() + REAP_TIMEOUT
        while (code := _exit_code(self.pid)) is None:
            if time.monotonic() > kill_at:
                self.send(signal.SIGKILL)
            await asyncio.sleep(REAP_INTERVAL)
        self.end = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self.ended.set()
        if not self._ready.done():
            self._ready.set_exception(WorkerFailed(f"worker {self.pid} {self.end} before it served clients", FAILED))
        await self._channel.close()

    @property
    def is_ready(self) -> bool:
        """True if it is ready to serve clients, or does so."""
        return self._ready.done() and not self._ready.cancelled() and self._ready.exception() is None

    @property
    def has_ended(self) -> bool:
        """True if the process has ended, or is about to."""
        return self._channel.closed.is_set()

    async def ask(self, command: str, **arguments: object) -> dict[str, object]:
        """Run a command in the worker and return its result. Raises ControlError."""
        return await self._channel.ask(command, **arguments)

    async def responds(self, seconds: float) -> bool:
        """Return whether the worker responds within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self.ask("ping")
        except (TimeoutError, ControlError):
            return False
        return True

    def begin(self) -> None:
        """Let the worker serve clients."""
        self._told_to_begin.set()

    async def stop(self, grace: float | None = None) -> None:
        """Tell the worker to end after the responses under way; for `grace`, see `Proxy.stop`."""
        self.is_draining = True
        self.begin()
        with suppress(ControlError):  # it has ended
            await self._channel.ask("stop", grace=grace)

    async def hand_over(self, grace: float) -> None:
        """Tell the worker that others take its place, and return when it accepts no more clients.

        An idle connection may stay for `grace` seconds.
        """
        self.is_draining = True
        with suppress(ControlError):  # it has ended
            await self._channel.ask("hand-over", grace=grace)

    def send(self, number: int) -> None:
        """Send a signal to the process, unless it has ended."""
        if not self.ended.is_set():
            os.kill(self.pid, number)

    async def kill(self) -> None:
        """End the process without waiting for anything."""
        self.is_draining = True
        self.send(signal.SIGKILL)
        await self.ended.wait()


def _exit_code(process_id: int) -> int | None:
    """Return the exit code of a child process, negative for a signal, or None while it runs."""
    ended, status = os.waitpid(process_id, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
