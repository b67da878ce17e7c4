"""The event loop of a proxy: uvloop if it is installed, else asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

try:
    import uvloop
except ImportError:  # it does not exist for every system
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:

    class EventLoop(uvloop.Loop):
        """uvloop's event loop, with support for the eager task factory that mitmproxy sets."""

        def set_task_factory(self, factory: Any) -> None:
            """Set the task factory. asyncio's eager factory is replaced by one that works with uvloop."""
            eager: Any = eager_task
            super().set_task_factory(eager if factory is asyncio.eager_task_factory else factory)

    new_event_loop = EventLoop


def eager_task[T](
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, T],
    *,
    name: str | None = None,
    context: Context | None = None,
    eager_start: bool | None = None,
) -> asyncio.Task[T]:
    """Return a task that has started already, unless `eager_start` is False.

    It takes the options of every release of uvloop. asyncio's own eager factory cannot be called with them: whether it
    knows `eager_start`, and what None means, differs between the patch releases of Python. The constructor of
    asyncio.Task, which is called here, has had the same options since Python 3.12.
    """
    return asyncio.Task(coroutine, loop=loop, name=name, context=context, eager_start=eager_start is not False)


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new event loop and return its result. Raises the exceptions of the coroutine."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
