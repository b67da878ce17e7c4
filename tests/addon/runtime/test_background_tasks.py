"""Tasks that run beside what began them."""

from __future__ import annotations

import asyncio

from addon.runtime.background_tasks import BackgroundTasks


def test_settled_waits_for_those_under_way() -> None:
    async def run() -> None:
        tasks = BackgroundTasks()
        begun = tasks.begin(asyncio.sleep(0, "done"))
        await tasks.settled()
        assert begun.result() == "done"
        await asyncio.sleep(0)
        assert not tasks

    asyncio.run(run())


def test_close_stops_those_under_way() -> None:
    async def run() -> None:
        tasks = BackgroundTasks()
        begun = tasks.begin(asyncio.Event().wait())
        await tasks.close()
        assert begun.cancelled()
        await asyncio.sleep(0)
        assert not tasks

    asyncio.run(run())


def test_without_tasks_there_is_nothing_to_wait_for() -> None:
    async def run() -> None:
        await BackgroundTasks().settled()
        await BackgroundTasks().close()

    asyncio.run(run())
