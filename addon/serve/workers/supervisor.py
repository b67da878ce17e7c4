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
import time

from addon.config.errors import ConfigError
from addon.config.redaction import redaction
from addon.config.reload import FIXED_WITH_WORKERS, ReadSettings, refuse_fixed
from addon.frontend.accepting import BACKLOG
from addon.runtime.control import ControlServer
from addon.runtime.leases.server import LeaseServer
from addon.runtime.series.recorder import SeriesRecorder
from addon.runtime.series.series_file import SeriesFile
from addon.runtime.settings_command import settings_handler
from addon.runtime.signals import operator_signals
from addon.serve.admin.administered import Administered
from addon.serve.admin.listener import AdminListener
from addon.serve.announcement import announce
from addon.serve.front_end import known_certificates, tls_of
from addon.serve.late_imports import import_late_modules
from addon.serve.launch import Launch
from addon.serve.listening_sockets import close_all
from addon.serve.live_line import LiveLine
from addon.serve.messages import print_error, print_line
from addon.serve.own_ca import make_ca
from addon.serve.proxy import RESTART_GRACE
from addon.serve.upgrade import upgrade
from addon.serve.workers.worker_process import WorkerFailed
from addon.serve.workers.worker_set import WorkerSet

logger = logging.getLogger(__name__)


def supervise(launch: Launch) -> int:
    """Run a proxy with several workers until it is stopped, and return its exit code."""
    import_late_modules()
    # what exists now is shared by all workers, and collecting garbage would copy it
    gc.collect()
    gc.freeze()
    try:
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            return runner.run(Supervisor(launch).run())
    except WorkerFailed as error:
        print_error(str(error))
        return error.code


def _event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that has nothing in the kernel: a forked process would share that."""
    return asyncio.SelectorEventLoop(selectors.PollSelector())


class Supervisor:
    """The supervisor of one proxy."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._in_force = ReadSettings.of(launch.settings)
        directory = launch.settings.store.directory
        self._leases = LeaseServer(directory)
        self._workers = WorkerSet(launch.sockets, self._leases.path)
        self._workers.commands.handlers["config"] = settings_handler(lambda: self._in_force.settings)
        kept_in = directory if launch.settings.store.kind != "memory" else None
        commands = self._workers.commands
        self._series = SeriesRecorder(SeriesFile(kept_in), commands.counted, time.time, in_thread=False)
        commands.handlers["series"] = self._series.handle
        self._control = ControlServer(directory, self._workers.commands.handlers, in_thread=False)
        admin = Administered(launch.settings, self._workers.commands.handlers, self._takes_clients)
        self._admin = AdminListener(admin, launch.admin, in_thread=False)
        self._line = LiveLine(commands.handlers["stats"])
        self._stopped = asyncio.Event()
        self._told_to_reload, self._told_to_upgrade = asyncio.Event(), asyncio.Event()
        self._is_upgraded = False

    async def run(self) -> int:
        """Start the workers; end them when told to, and return the exit code. Raises WorkerFailed."""
        operator_signals.handle(
            {
                signal.SIGTERM: self._stop,
                signal.SIGINT: self._stop,
                signal.SIGQUIT: self._stop_at_once,
                signal.SIGUSR1: self._reopen_logs,
                signal.SIGHUP: self._told_to_reload.set,
                signal.SIGUSR2: self._told_to_upgrade.set,
            }
        )
        tasks = list(map(asyncio.get_running_loop().create_task, (self._serve(), self._stopped.wait())))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()
        return 0

    async def _end(self) -> None:
        await self._line.close()
        close_all(self._launch.sockets)
        if self._is_upgraded:
            await self._admin.close(handed_over=True)
            await self._workers.hand_over()
        else:
            await self._workers.stop(RESTART_GRACE if self._launch.inherited.are_kept else None)
        await self._admin.close()
        await self._series.close()
        await self._control.close()
        await self._leases.close()

    async def _serve(self) -> None:
        """Start the workers, and do what people ask for; return after an upgrade. Raises WorkerFailed."""
        await self._serve_leases()
        await self._workers.start(self._in_force.settings)
        for each in self._launch.sockets:
            each.listen(BACKLOG)  # the workers do so, too, but perhaps later than the next lines are read
        await self._control.start()
        self._admin.start()
        self._series.start()
        host, port = self._launch.sockets[0].getsockname()[:2]
        workers = self._workers.serving
        announce(self._in_force.settings, workers[0].store, (), host, port)
        print_line(f"its {len(workers)} workers are the processes {', '.join(str(each.pid) for each in workers)}")
        self._launch.serves()
        self._line.begin()
        async with asyncio.TaskGroup() as tasks:
            living = tasks.create_task(self._launch.manager.show_signs_of_life(self._workers.are_alive))
            reloading = tasks.create_task(self._reload_whenever_told())
            await self._upgraded()
            living.cancel()
            reloading.cancel()

    def _takes_clients(self) -> bool:
        return bool(self._workers.serving) and not self._stopped.is_set() and not self._is_upgraded

    async def _upgraded(self) -> None:
        """Return when a new program has taken the place of this one."""
        while not self._is_upgraded:
            await self._told_to_upgrade.wait()
            self._is_upgraded = await upgrade(self._launch)
            self._told_to_upgrade.clear()

    async def _reload_whenever_told(self) -> None:
        while True:
            await self._told_to_reload.wait()
            self._told_to_reload.clear()
            self._launch.manager.reloading()
            self._reopen_logs()
            await self._reload()
            self._launch.tell_ready()

    async def _serve_leases(self) -> None:
        """Let the workers share their fetches. Without that they work as well."""
        try:
            await self._leases.start()
        except OSError as error:
            logger.warning("each worker fetches for itself: %s", error)

    async def _reload(self) -> None:
        """Read the settings again, and start workers with them; or log what is wrong with them and change nothing."""
        old, modes = self._in_force.settings, None
        try:
            new = self._launch.load()
            refuse_fixed(old, new, FIXED_WITH_WORKERS)
            read = ReadSettings.of(new.settings)
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
        logger.warning("settings reloaded: %s", read.changes_from(self._in_force))
        self._in_force = read

    # ---- signals

    def _stop(self) -> None:
        """Stop after the responses under way, for which there is `drain_timeout`; when called again, at once."""
        if self._stopped.is_set():
            self._workers.send(signal.SIGQUIT)
        self._launch.manager.stopping()
        self._stopped.set()

    def _stop_at_once(self) -> None:
        """Stop without waiting for responses under way. What is stored stays stored."""
        self._workers.send(signal.SIGQUIT)
        self._stopped.set()

    def _reopen_logs(self) -> None:
        self._workers.send(signal.SIGUSR1)
