"""The set of workers, where no process can be started, or where it hangs."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.serve.workers import worker_process, worker_set
from addon.serve.workers.worker import Assignment
from addon.serve.workers.worker_process import WorkerFailed, WorkerProcess
from addon.serve.workers.worker_set import WorkerSet
from tests.fixtures.until import LONGEST


def test_a_process_that_cannot_be_started_is_reported_and_nothing_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_fork(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    killed: list[int] = []
    monkeypatch.setattr(worker_process, "fork", no_fork)
    # os.kill(0, ...) would signal this process and all others of its group
    monkeypatch.setattr(os, "kill", lambda process_id, _: killed.append(process_id))

    async def start() -> WorkerSet:
        workers = WorkerSet((), tmp_path / "leases")
        with pytest.raises(WorkerFailed, match="no process can be started: Resource temporarily unavailable"):
            await asyncio.wait_for(workers.start(Settings(workers=2)), LONGEST)
        await asyncio.sleep(0)
        return workers

    assert asyncio.run(start()).alive == set()
    assert killed == []


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Have workers that never become ready; the list gets their processes."""
    processes: list[subprocess.Popen[bytes]] = []

    def fork(*_: object) -> tuple[int, socket.socket]:
        ours, theirs = socket.socketpair()
        processes.append(subprocess.Popen(["/bin/sleep", "1000"], stdin=theirs))
        theirs.close()
        ours.setblocking(False)
        return processes[-1].pid, ours

    monkeypatch.setattr(worker_process, "fork", fork)
    return processes


@pytest.mark.parametrize("turns", [1, 2, 3, 10])
def test_a_start_that_is_stopped_leaves_no_process(
    turns: int, tmp_path: Path, hanging: list[subprocess.Popen[bytes]]
) -> None:
    """Regression: a stop before the connection to a worker was ready waited for ever for that worker's end."""

    async def start_and_stop() -> None:
        workers = WorkerSet((), tmp_path / "leases")
        starting = asyncio.ensure_future(workers.start(Settings(workers=2)))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await asyncio.wait_for(workers.stop(), LONGEST)
        assert workers.alive == set()

    asyncio.run(start_and_stop())
    for process in hanging:
        process.returncode = 0  # reaped already


def test_a_worker_that_hangs_at_its_start_is_killed(
    tmp_path: Path, hanging: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_set, "START_TIMEOUT", 0.05)

    async def start() -> WorkerSet:
        workers = WorkerSet((), tmp_path / "leases")
        with pytest.raises(WorkerFailed, match=r"worker \d+ was not ready after 0.05 seconds, and was killed"):
            await asyncio.wait_for(workers.start(Settings(workers=2)), LONGEST)
        return workers

    assert asyncio.run(start()).alive == set()
    assert [not Path(f"/proc/{each.pid}").exists() for each in hanging] == [True, True]
    for each in hanging:  # the set of workers has waited for it already
        each.wait(LONGEST)


class HandedOver(WorkerProcess):
    """A worker without a process, which accepts clients until `accepts_none` is set."""

    async def start(self, _: Assignment) -> None:
        self.accepts_none = asyncio.Event()

    async def hand_over(self, _: float) -> None:
        await self.accepts_none.wait()


async def replace_a_worker(
    folder: Path, conversation: Callable[[HandedOver, asyncio.Task[None]], Awaitable[None]]
) -> None:
    """Run a conversation with a worker that is being replaced, and with the task that replaces it."""
    workers = WorkerSet((), folder / "leases")
    await workers.start(Settings(workers=1))
    (old,) = workers.serving
    assert isinstance(old, HandedOver)
    replacing = asyncio.create_task(workers.start(Settings(workers=1)))
    async with asyncio.timeout(LONGEST):
        await conversation(old, replacing)
    for each in workers.alive:
        each.ended.set()
    await workers.stop()


def test_new_workers_have_taken_the_place_of_the_old_ones_only_when_these_accept_no_more_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a client that connected right after the message about a reload could get the old settings."""
    monkeypatch.setattr(worker_set, "WorkerProcess", HandedOver)
    monkeypatch.setattr(worker_set, "PATIENCE", 1000.0)

    async def conversation(old: HandedOver, replacing: asyncio.Task[None]) -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        assert not replacing.done()
        old.accepts_none.set()
        await replacing

    asyncio.run(replace_a_worker(tmp_path, conversation))


def test_an_old_worker_that_hangs_is_not_waited_for_any_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_set, "WorkerProcess", HandedOver)
    monkeypatch.setattr(worker_set, "PATIENCE", 0.01)

    async def conversation(_: HandedOver, replacing: asyncio.Task[None]) -> None:
        await replacing

    asyncio.run(replace_a_worker(tmp_path, conversation))
