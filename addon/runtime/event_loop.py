"""The event loop that a proxy runs on: uvloop's where there is one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

try:
    import uvloop
except ImportError:  # it is not made for every system
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:

    class EventLoop(uvloop.Loop):
        """uvloop's, made to agree with the task factory that mitmproxy needs."""

        def set_task_factory(self, factory: Any) -> None:
            """Set the factory."""
            eager: Any = _eager
            super().set_task_factory(eager if factory is asyncio.eager_task_factory else factory)

    new_event_loop = EventLoop


def _eager(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Future[Any]:
    if sys.version_info < (3, 13, 3):  # uvloop passes a keyword that these do not know
        options.pop("eager_start", None)
    return asyncio.eager_task_factory(loop, coroutine, **options)


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return what it returns. Raises what it raises."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
