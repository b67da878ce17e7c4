"""The event loop of a proxy: uvloop if it is installed, else asyncio's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
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
            eager: Any = _eager_task_factory
            super().set_task_factory(eager if factory is asyncio.eager_task_factory else factory)

    new_event_loop = EventLoop


def _eager_task_factory(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Future[Any]:
    if sys.version_info < (3, 13, 3):  # uvloop passes a keyword that these versions do not know
        options.pop("eager_start", None)
    return asyncio.eager_task_factory(loop, coroutine, **options)


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new event loop and return its result. Raises the exceptions of the coroutine."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
