"""The set of workers, where no process can be started."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.serve.workers import worker_process
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
