"""Replies of several workers, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from addon.runtime.host_counters import FIXED_HOST_COUNTERS
from addon.runtime.metrics.samples import Samples
from addon.serve.workers.shared_commands import SharedCommands
from addon.serve.workers.worker_process import WorkerProcess


class Worker:
    """A worker that has the same reply to all commands.

    Attributes:
        asked: The commands, in order, with their arguments.
    """

    def __init__(self, reply: Mapping[str, object]) -> None:
        self._reply = reply
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        self.counters: dict[str, int] = {}
        self.hosts: object = None
        self.metrics: Mapping[str, object] = {}

    async def ask(self, command: str, **arguments: object) -> Mapping[str, object]:
        self.asked.append((command, arguments))
        return dict(self._reply)


def test_failed_connections_are_added_up_by_host() -> None:
    workers = [
        Worker({"distrusted": {"a.test": 1}, "not_reached": {}}),
        Worker({"distrusted": {"a.test": 2, "b.test": 1}, "not_reached": {"https://c.test": 1}}),
    ]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    assert asyncio.run(commands.handlers["failed-hosts"]({})) == {
        "distrusted": {"a.test": 3, "b.test": 1},
        "not_reached": {"https://c.test": 1},
    }


def test_one_worker_looks_up_what_all_of_them_have_missed() -> None:
    workers = [
        Worker({"urls": ["http://a.test/", "http://b.test/"], "too_large": []}),
        Worker({"urls": ["http://b.test/", "http://c.test/"], "too_large": []}),
    ]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    asyncio.run(commands.handlers["still-missing"]({}))
    looked_up = [arguments for worker in workers for command, arguments in worker.asked if command == "still-missing"]
    assert looked_up == [{"urls": ["http://a.test/", "http://b.test/", "http://c.test/"]}]
    assert all(("commit", {}) in worker.asked for worker in workers)


def test_hosts_are_added_up() -> None:
    counted = dict.fromkeys(FIXED_HOST_COUNTERS, 0) | {"requests": 2}
    workers = [Worker({"hosts": {"a.test": counted}}), Worker({"hosts": {"a.test": counted, "b.test": counted}})]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    hosts = asyncio.run(commands.handlers["summary"]({}))["hosts"]
    assert hosts == {"a.test": counted | {"requests": 4}, "b.test": counted}


def test_the_latest_reason_for_not_storing_is_told_whichever_worker_has_it() -> None:
    notes: list[object] = [None, {"fetched_at": 1.0}, {"fetched_at": 3.0}, {"fetched_at": 2.0}]
    workers = [Worker({"decision": "forward", "not_stored": note}) for note in notes]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    replies = asyncio.run(commands.handlers["why"]({}))
    assert replies == {"decision": "forward", "not_stored": {"fetched_at": 3.0}, "too_large": None}


def test_what_a_killed_worker_has_told_stays_counted() -> None:
    workers = [Worker({"requests": 2}), Worker({"requests": 3})]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    assert asyncio.run(commands.counted()) == {"requests": 5}
    commands.worker_ended(cast("WorkerProcess", workers.pop()))
    assert asyncio.run(commands.handlers["stats"]({})) == {"requests": 5}
    workers.clear()
    assert asyncio.run(commands.counted()) == {"requests": 3}


def described_metrics(requests: float) -> Mapping[str, object]:
    samples = Samples()
    samples.add("requests_total", requests, "", "hit", "")
    return samples.described()


HOST = dict.fromkeys(FIXED_HOST_COUNTERS, 0)


@pytest.mark.parametrize(
    ("command", "reply", "both"),
    [
        ("stats", {"requests": 2}, {"requests": 4}),
        ("metrics", described_metrics(2), described_metrics(4)),
        ("summary", {"hosts": {"a.test": HOST | {"requests": 2}}}, {"hosts": {"a.test": HOST | {"requests": 4}}}),
    ],
)
def test_a_worker_that_ends_while_all_are_asked_is_counted_once(
    command: str, reply: Mapping[str, object], both: Mapping[str, object]
) -> None:
    class EndingWorker(Worker):
        async def ask(self, command: str, **arguments: object) -> Mapping[str, object]:
            self.counters, self.hosts, self.metrics = {"requests": 2}, reply.get("hosts"), described_metrics(2)
            commands.worker_ended(cast("WorkerProcess", self))
            workers.remove(self)
            return await super().ask(command, **arguments)

    workers = [EndingWorker(reply), Worker(reply)]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    told = asyncio.run(commands.handlers[command]({}))
    assert {name: told[name] for name in both} == both


def test_the_worker_for_which_the_origin_has_failed_explains_the_next_response() -> None:
    subjects = {"validate": ["validate"], "hit": ["validate", "expected"]}
    workers = [
        Worker({"decision": decision, "steps": [{"subject": each} for each in subjects[decision]], "not_stored": None})
        for decision in ("validate", "hit", "validate")
    ]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    assert asyncio.run(commands.handlers["why"]({}))["decision"] == "hit"


def test_the_latest_problem_of_the_store_is_told_whichever_worker_had_it() -> None:
    problems: list[dict[str, object]] = [
        {},
        {"last_problem": {"at": 2.0, "reason": "the disk was full"}},
        {"last_problem": {"at": 3.0, "reason": "it was locked"}},
        {"last_problem": {"at": 1.0, "reason": "it was damaged"}},
    ]
    workers = [Worker({"state": "open", **problem}) for problem in problems]
    commands = SharedCommands(lambda: [cast("WorkerProcess", worker) for worker in workers])
    told = asyncio.run(commands.handlers["store"]({}))
    assert told == {"state": "open", "last_problem": {"at": 3.0, "reason": "it was locked"}}
