"""The control commands of a proxy with several workers: the supervisor passes them on, and makes one reply of many."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from addon.pipeline.store_condition import StoreState
from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError, numbers_in, table_in, tables_in
from addon.runtime.host_counters import HostCounters
from addon.runtime.metrics.host_times import HostTimes
from addon.runtime.metrics.samples import Samples
from addon.serve.workers.shared_sites import merged_sites
from addon.serve.workers.worker import Command
from addon.serve.workers.worker_process import WorkerProcess

type Reply = dict[str, object]


class SharedCommands:
    """The commands, by the workers that serve.

    Attributes:
        handlers: The handlers for the control socket.
    """

    def __init__(self, workers: Callable[[], Sequence[WorkerProcess]]) -> None:
        """Use the workers that `workers` returns: those that serve clients first, and then those that drain."""
        self._workers = workers
        self._mode: dict[object, Command] = {}
        """The modes that people have set: of all hosts (None), and of single hosts, the last one last."""
        self._recording: Command | None = None
        self._since = time.time()
        self._past = Counter[str]()
        """The counters of workers that have ended."""
        self._past_hosts = HostCounters()
        self._past_metrics = Samples()
        self.handlers: dict[str, Handler] = {
            "address": self._one("address"),
            "check-lock-file": self._of_store("check-lock-file"),
            "commit": self._every("commit"),
            "contents": self._of_store("contents"),
            "diff": self._one("diff"),
            "entries": self._of_store("entries"),
            "exchanges": self._exchanges,
            "failed-hosts": self._failed_hosts,
            "fetch": self._one("fetch"),
            "fetch-missing": self._one("fetch-missing"),
            "metrics": self._metrics,
            "missing": self._missing,
            "mode": self._switch_mode,
            "not-stored-examples": self._examples,
            "origin-times": self._origin_times,
            "ping": self._every("ping"),
            "preview": self._of_store("preview"),
            "purge": self._of_store("purge"),
            "record": self._record_or_replay("record"),
            "recording": self._every("recording"),
            "recordings": self._one("recordings"),
            "replay": self._record_or_replay("replay"),
            "show": self._of_store("show"),
            "sites": self._sites,
            "stats": self._stats,
            "still-missing": self._still_missing,
            "status": self._status,
            "summary": self._summary,
            "store": self._store,
            "why": self._why,
        }

    # ---- workers that come and go

    @property
    def state(self) -> tuple[Command, ...]:
        """The commands that bring a new worker to what people have set."""
        return (*self._mode.values(), *([self._recording] if self._recording else []))

    def forget_modes(self) -> Mapping[object, Command]:
        """Let new workers begin with the modes of the settings. Return those that people have set."""
        modes, self._mode = self._mode, {}
        return modes

    def remember_modes(self, modes: Mapping[object, Command]) -> None:
        """Let new workers begin with modes that `forget_modes` has returned."""
        self._mode = {**modes, **self._mode}

    def worker_ended(self, worker: WorkerProcess) -> None:
        """Keep what a worker has counted until its end.

        Of one that was killed, what was asked for last is kept: numbers that others have seen must not become less.
        """
        self._past_metrics.add_described(worker.metrics, lasting_only=True)
        self._past.update(worker.counters)
        self._past_hosts.add(worker.hosts)

    # ---- passing on

    async def ask_all(self, command: str, arguments: Mapping[str, object]) -> list[Reply]:
        """Return the replies of all workers, see `_ask_each`."""
        return [*(await self._ask_each(command, arguments)).values()]

    async def _ask_each(self, command: str, arguments: Mapping[str, object]) -> dict[WorkerProcess, Reply]:
        """Return the reply of each worker; one that dies meanwhile has none.

        Raises:
            ValueError: a worker reports an error.
            ControlError: no worker replies.
        """
        workers = self._workers()
        replies = await asyncio.gather(
            *(worker.ask(command, **arguments) for worker in workers), return_exceptions=True
        )
        results: dict[WorkerProcess, Reply] = {}
        for worker, reply in zip(workers, replies, strict=True):
            if isinstance(reply, dict):
                results[worker] = reply
            elif isinstance(reply, ControlError) and not worker.has_ended:
                raise ValueError(str(reply))
            elif not isinstance(reply, ControlError):
                raise reply
        if not results:
            raise ControlError("no worker is running at the moment")
        return results

    def _every(self, command: str) -> Handler:
        """Return a handler that passes a command on to all workers, whose replies are the same."""

        async def handle(arguments: Mapping[str, object]) -> Reply:
            return (await self.ask_all(command, arguments))[0]

        return handle

    def _one(self, command: str) -> Handler:
        """Return a handler that passes a command on to one worker, and to another one if that dies."""

        async def handle(arguments: Mapping[str, object]) -> Reply:
            for worker in self._workers():
                try:
                    return await worker.ask(command, **arguments)
                except ControlError as error:
                    if not worker.has_ended:
                        raise ValueError(str(error)) from None
            raise ControlError("no worker is running at the moment")

        return handle

    def _of_store(self, command: str) -> Handler:
        """Return a handler that passes a command for the store on to one worker: they have one store.

        What it does there, like a purge, is true for all of them at once.
        """

        async def handle(arguments: Mapping[str, object]) -> Reply:
            await self.ask_all("commit", {})  # so that what they have stored just now is seen
            return await self._one(command)(arguments)

        return handle

    # ---- what all workers are switched to

    async def _switch_mode(self, arguments: Mapping[str, object]) -> Reply:
        replies = await self.ask_all("mode", arguments)
        if "mode" in arguments:
            host = arguments.get("host")
            if host is None:
                self._mode.clear()
                if self._recording is not None and self._recording.name == "replay":
                    self._recording = None  # a replay is a mode, too, and has ended with this command
            self._mode.pop(host, None)
            self._mode[host] = Command("mode", arguments)
        return _mode_of(replies)

    def _record_or_replay(self, command: str) -> Handler:
        async def handle(arguments: Mapping[str, object]) -> Reply:
            replies = await self.ask_all(command, arguments)
            if "name" in arguments:
                self._recording = Command(command, arguments)
            elif self._recording is not None and self._recording.name == command:
                self._recording = None
            return replies[0]

        return handle

    # ---- replies that are put together

    async def _missing(self, arguments: Mapping[str, object]) -> Reply:
        replies = await self.ask_all("missing", arguments)
        return {
            name: list(dict.fromkeys(url for reply in replies for url in _list(reply[name])))
            for name in ("urls", "too_large")
        }

    async def _still_missing(self, _arguments: Mapping[str, object]) -> Reply:
        """Have one worker look up what any of them has missed: they have one store and one queue."""
        missed = await self._missing({})
        return await self._of_store("still-missing")({"urls": missed["urls"]})

    async def _failed_hosts(self, arguments: Mapping[str, object]) -> Reply:
        totals: dict[str, Counter[str]] = {"distrusted": Counter(), "not_reached": Counter()}
        for reply in await self.ask_all("failed-hosts", arguments):
            for kind, total in totals.items():
                total.update({host: int(str(count)) for host, count in table_in(reply[kind]).items()})
        return {kind: dict(total) for kind, total in totals.items()}

    async def _stats(self, _arguments: Mapping[str, object]) -> Reply:
        return dict(sorted((await self.counted()).items()))

    async def counted(self) -> Mapping[str, int]:
        """Return the counters of all workers since the start of the proxy."""

        async def ask(worker: WorkerProcess) -> None:
            with suppress(ControlError):  # it ends just now; what it has told before is used
                worker.counters = numbers_in(await worker.ask("stats"))

        await asyncio.gather(*map(ask, self._workers()))
        total = Counter(self._past)
        for worker in self._workers():  # without those that have ended meanwhile: these are past ones
            total.update(worker.counters)
        return total

    async def _exchanges(self, arguments: Mapping[str, object]) -> Reply:
        replies = await self.ask_all("exchanges", arguments)
        exchanges = [each for reply in replies for each in tables_in(reply["exchanges"])]
        return {
            "exchanges": sorted(exchanges, key=lambda each: float(str(each["at"]))),
            "lost": sum(int(str(reply["lost"])) for reply in replies),
            "last": {process: number for reply in replies for process, number in table_in(reply["last"]).items()},
        }

    async def _summary(self, arguments: Mapping[str, object]) -> Reply:
        replies = await self._ask_each("summary", arguments)
        total = HostCounters()
        total.add(self._past_hosts.described())
        for worker in self._workers():  # without those that have ended meanwhile: these are past ones
            total.add(replies.get(worker, {}).get("hosts"))
        told = {"since": self._since, "hosts": total.described(), "contents": None}
        return {**told, "max_size": next(iter(replies.values())).get("max_size")}

    async def _metrics(self, arguments: Mapping[str, object]) -> Reply:
        async def ask(worker: WorkerProcess) -> None:
            with suppress(ControlError):  # it ends just now; what it has told before is used
                worker.metrics = await worker.ask("metrics", **arguments)

        await asyncio.gather(*map(ask, self._workers()))
        total = Samples()
        total.add_described(self._past_metrics.described())
        for worker in self._workers():  # without those that have ended meanwhile: these are past ones
            total.add_described(worker.metrics)
        return total.described()

    async def _sites(self, arguments: Mapping[str, object]) -> Reply:
        return {"sites": merged_sites([reply["sites"] for reply in await self.ask_all("sites", arguments)])}

    async def _status(self, arguments: Mapping[str, object]) -> Reply:
        replies = await self.ask_all("status", arguments)
        workers = [worker for reply in replies for worker in tables_in(reply["workers"])]
        merged = {
            "mode": _mode_of([table_in(reply["mode"]) for reply in replies]),
            "sites": merged_sites([reply["sites"] for reply in replies]),
            "store": _worst_store([table_in(reply["store"]) for reply in replies]),
        }
        return replies[0] | merged | {"supervisor": os.getpid(), "workers": workers}

    async def _why(self, arguments: Mapping[str, object]) -> Reply:
        """Return the explanation of one worker, with the latest note of all: each knows what it has fetched.

        It is that of a worker for which the origin has failed, if there is one: it expects the next failure.
        """
        await self.ask_all("commit", {})  # so that each sees what another one has stored just now
        replies = await self.ask_all("why", arguments)
        notes = [note for reply in replies if (note := table_in(reply["not_stored"]))]
        latest = max(notes, key=lambda note: float(str(note["fetched_at"])), default=None)
        too_large = next((reply["too_large"] for reply in replies if reply.get("too_large")), None)
        told = next((reply for reply in replies if _expects_failure(reply)), replies[0])
        return told | {"not_stored": latest, "too_large": too_large}

    async def _origin_times(self, arguments: Mapping[str, object]) -> Reply:
        """Return the times that the present workers have measured."""
        total = HostTimes()
        for reply in await self.ask_all("origin-times", arguments):
            total.add_described(reply)
        return total.described()

    async def _examples(self, arguments: Mapping[str, object]) -> Reply:
        """Return one example for each reason, that of any worker."""
        return {
            reason: told
            for reply in await self.ask_all("not-stored-examples", arguments)
            for reason, told in reply.items()
        }

    async def _store(self, arguments: Mapping[str, object]) -> Reply:
        """Return the condition of the store for the worker for which it works worst."""
        return _worst_store(await self.ask_all("store", arguments))


def _expects_failure(explanation: Reply) -> bool:
    steps = explanation.get("steps")
    return isinstance(steps, list) and any(table_in(step).get("subject") == "expected" for step in steps)


def _mode_of(replies: Sequence[Reply]) -> Reply:
    """Return the mode, with the origins that one of the workers leaves alone, and those that failed for one."""
    unreachable = sorted({each for reply in replies for each in _list(reply["unreachable"])})
    failures = [each for reply in replies for each in table_in(reply.get("failing")).items()]
    failures.sort(key=lambda each: float(str(table_in(each[1])["at"])))  # of two for one origin, the later one
    return replies[0] | {"unreachable": unreachable, "failing": dict(failures)}


def _worst_store(conditions: Sequence[Reply]) -> Reply:
    """Return the condition that is the worst, with the latest problem of all: each worker knows its own ones."""
    order = list(StoreState)
    worst = max(conditions, key=lambda condition: order.index(StoreState(str(condition["state"]))))
    problems = [problem for condition in conditions if (problem := table_in(condition.get("last_problem")))]
    latest = max(problems, key=lambda problem: float(str(problem["at"])), default=None)
    return worst | ({"last_problem": latest} if latest else {})


def _list(value: object) -> list[str]:
    return list(map(str, value)) if isinstance(value, list) else []
