"""The set of workers, where no process can be started, or where it hangs."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.serve.workers import worker_process, worker_set
from addon.serve.workers.worker_process import WorkerFailed
from addon.serve.workers.worker_set import WorkerSet


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
            await asyncio.wait_for(workers.start(Settings(workers=2)), 60)
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
        await asyncio.wait_for(workers.stop(), 60)
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
            await workers.start(Settings(workers=2))
        return workers

    assert asyncio.run(start()).alive == set()
    assert [not Path(f"/proc/{each.pid}").exists() for each in hanging] == [True, True]
    for each in hanging:  # the set of workers has waited for it already
        each.wait()
