"""The task in which the handler answers one request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class ResponseTask:
    """A response under way. It stops when its client disconnects, unless other requests may use what it fetches."""

    __slots__ = ("_abandon", "_shareable", "_task")

    def __init__(self, *, shareable: bool, abandon: Callable[[asyncio.Task[object]], None] | None = None) -> None:
        """Make a response; `abandon` stops one that is `shareable`, which otherwise goes on without its client."""
        self._shareable = shareable
        self._abandon = abandon
        self._task: asyncio.Task[bool] | None = None

    def start(self, answering: Coroutine[None, None, bool]) -> asyncio.Task[bool]:
        """Start the handler, which may complete at once, and return its task."""
        self._task = asyncio.get_running_loop().create_task(answering)
        return self._task

    def keep_for_client(self) -> None:
        """Note that only the client uses the response from now on: it is being sent."""
        self._shareable = False

    def client_lost(self) -> None:
        """Stop, unless other requests may use what comes."""
        if self._task is None:
            return
        if not self._shareable:
            self._task.cancel()
        elif self._abandon is not None:
            self._abandon(self._task)
