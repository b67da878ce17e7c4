"""Workers that do not respond are killed; those that respond again in time are not."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from addon.serve.workers import hanging_workers
from addon.serve.workers.hanging_workers import MISSED, kill_hanging
from tests.fixtures.proxy_with_workers import start_workers, workers_of


class ScriptedWorker:
    """A worker that responds as it is told, and then for ever; it removes itself from the others when it is killed."""

    def __init__(self, pid: int, serving: list[ScriptedWorker], *answers: bool) -> None:
        self.pid = pid
        self.signals: list[int] = []
        self._serving = serving
        self._answers = list(answers)
        self.asked = 0

    async def responds(self, seconds: float) -> bool:
        self.asked += 1
        return self._answers.pop(0) if self._answers else True

    def send(self, number: int) -> None:
        self.signals.append(number)
        self._serving.remove(self)


def asked_for(questions: int, serving: Sequence[ScriptedWorker]) -> None:
    """Ask these workers so many times."""

    async def main() -> None:
        asking = asyncio.create_task(kill_hanging(lambda: serving))
        while serving[-1].asked <= questions:
            await asyncio.sleep(0)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking

    asyncio.run(main())


def test_only_a_worker_that_misses_several_questions_in_a_row_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hanging_workers, "INTERVAL", 0)
    serving: list[ScriptedWorker] = []
    hanging = ScriptedWorker(1, serving, *[False] * 20)
    slow = ScriptedWorker(2, serving, *[*[False] * (MISSED - 1), True] * 5)
    serving += [hanging, slow]
    asked_for(20, serving)
    assert (hanging.asked, hanging.signals) == (MISSED, [signal.SIGKILL])
    assert slow.signals == []


def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    with start_workers(tmp_path) as proxy:
        hanging, other = workers_of(proxy)
        os.kill(hanging, signal.SIGSTOP)
        proxy.wait_for_message(f"worker {hanging} was ended by SIGKILL; another one takes its place")
        proxy.wait_for_message("has begun to serve")
        assert f"worker {hanging} has not responded for 20 seconds; it is killed" in proxy.messages
        assert hanging not in workers_of(proxy)
        assert other in workers_of(proxy)
        proxy.stop()
