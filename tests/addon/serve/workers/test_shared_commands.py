"""Replies of several workers, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

from addon.serve.workers.shared_commands import SharedCommands
from addon.serve.workers.worker_process import WorkerProcess


class Worker:
    """A worker that has the same reply to all commands."""

    def __init__(self, reply: Mapping[str, object]) -> None:
        self._reply = reply

    async def ask(self, _command: str, **_arguments: object) -> Mapping[str, object]:
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
