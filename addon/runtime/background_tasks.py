"""Tasks whose results are not awaited: they run beside what began them, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator


class BackgroundTasks:
    """The tasks of one owner that are under way. asyncio refers to tasks weakly: without an owner they may vanish."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        """Return how many are under way."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[asyncio.Task[object]]:
        """Iterate over those under way."""
        return iter(self._tasks)

    def begin[T](self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Begin a task, and return it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self) -> None:
        """Wait until all that are under way now have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Stop all that are under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
