"""A worker: a process with a proxy like that of a single process. Its supervisor starts it, and says when it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from addon.config.errors import ConfigError
from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connection_shares import ConnectionShare
from addon.frontend.gateway.request_rates import RequestRates
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.channel import Channel
from addon.runtime.control_client import ControlError
from addon.runtime.event_loop import run
from addon.runtime.exit_codes import FAILED, WRONG_USAGE
from addon.runtime.signals import operator_signals
from addon.serve.announcement import store_place
from addon.serve.process_limits import max_descriptors, tune_garbage_collector
from addon.serve.proxy import Proxy
from addon.service import Service
from addon.warm.check_command import lock_file_handler
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """A control command, by which people have changed the running proxy."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Everything that a worker is given at its start."""

    settings: Settings
    sockets: Sequence[socket.socket]
    lease_socket: Path
    """The socket of the lease server."""
    commands: Sequence[Command] = ()
    """Run before the first client is served: what people have set stays."""
    rates: RequestRates | None = None
    """Counts the requests of clients; memory that all workers share."""
    share: ConnectionShare | None = None
    """Its share of the connections; memory that all workers share."""


def work(assignment: Assignment, connection: socket.socket) -> int:
    """Serve clients until the supervisor says to stop, or ends itself. Return the exit code of the process."""
    return run(_Worker(assignment).run(connection))


class _Worker:
    """The worker in its own process."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._settings = assignment.settings
        self._channel = Channel({})
        self._tasks = BackgroundTasks()

    async def run(self, connection: socket.socket) -> int:
        """Serve clients; tell the supervisor when this begins, when it cannot begin, and the counters at the end."""
        await self._channel.start(connection)
        try:
            service = Service(self._settings, own_socket=False, lease_socket=self._assignment.lease_socket)
        except (ConfigError, ValueError) as error:
            return await self._failed(error, WRONG_USAGE)
        try:
            await service.start()
            for command in self._assignment.commands:
                await service.commands[command.name](command.arguments)
            await self._serve(self._proxy(service), service)
        except (ConfigError, ValueError) as error:  # or a command that was remembered cannot be carried out any more
            return await self._failed(error, WRONG_USAGE)
        except (StoreError, OSError) as error:
            return await self._failed(error, FAILED)
        finally:
            await service.close()
        counts = {"counters": service.counters.snapshot(), "hosts": service.counters.hosts()}
        await self._tell("ended", **counts, metrics=service.metrics.counted().described())
        return 0

    def _proxy(self, service: Service) -> Proxy:
        """Return the proxy, which is ready to run. Raises ConfigError."""

        def listening(host: str, port: int) -> None:
            service.listens_at(host, port)
            tune_garbage_collector()

        limits = ConnectionLimits(self._settings.limits.connections_per_client, max_descriptors())
        rates, share = self._assignment.rates, self._assignment.share
        return Proxy(self._settings, service, self._assignment.sockets, listening, limits, rates=rates, share=share)

    async def _serve(self, proxy: Proxy, service: Service) -> None:
        def stop_once(grace: float | None = None) -> None:
            # the supervisor and the operator may both say so, and a second time would mean: at once
            if not proxy.is_stopping:
                proxy.stop(grace)

        async def stop(arguments: Mapping[str, object]) -> dict[str, object]:
            grace = arguments["grace"]
            stop_once(grace if isinstance(grace, float) else None)
            return {}

        async def hand_over(arguments: Mapping[str, object]) -> dict[str, object]:
            proxy.hand_over(float(str(arguments["grace"])))
            return {}

        async def stop_without_supervisor() -> None:
            await self._channel.closed.wait()
            if not proxy.is_stopping:
                logger.error("the supervisor has ended, so this worker ends, too")
            stop_once()

        check = {"check-lock-file": lock_file_handler(service.active)}
        self._channel.handlers |= service.commands | check | {"stop": stop, "hand-over": hand_over}
        operator_signals.handle(
            {
                signal.SIGTERM: stop_once,
                signal.SIGQUIT: proxy.stop_at_once,
                signal.SIGUSR1: proxy.reopen_log,
                # the terminal sends these to all processes, and the supervisor decides what follows
                signal.SIGINT: _ignore,
                signal.SIGHUP: _ignore,
                signal.SIGUSR2: _ignore,
            }
        )
        self._tasks.begin(stop_without_supervisor())
        # the reply comes when the whole generation of workers may begin
        await self._tell("ready", store=store_place(self._settings, service))
        if not proxy.draining.begun:
            await proxy.run()

    async def _failed(self, error: Exception, code: int) -> int:
        """Tell the supervisor that this worker cannot serve, and return the exit code."""
        await self._tell("failed", problem=str(error), code=code)
        return code

    async def _tell(self, message: str, **arguments: object) -> None:
        try:
            await self._channel.ask(message, **arguments)
        except ControlError:
            logger.debug("worker %d: the supervisor has ended", os.getpid())


def _ignore() -> None:
    """Do nothing."""
