"""Fetches what was missing offline, as soon as its origin may be asked again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from addon.queue import MissQueue
from addon.stored import StoredResponses
from addon.warm.wanted import Wanted
from cache.key import request_for
from cache.policy import CachePolicy

logger = logging.getLogger(__name__)

Fetch = Callable[[Wanted], Awaitable[str]]
"""Fetches into the store; returns why that did not work, or nothing."""


class CatchingUp:
    """Goes through the queue, one request after another."""

    def __init__(
        self, queue: MissQueue, fetch: Fetch, policy: Callable[[], CachePolicy], stored: StoredResponses
    ) -> None:
        self._queue = queue
        self._fetch = fetch
        self._policy = policy
        self._stored = stored
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin, unless that is under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            for wanted in await self._stored.run(self._queue.all):
                await self._catch_up(wanted)
        except OSError as error:
            logger.warning("the queue of what was missing cannot be used: %s", error)

    async def _catch_up(self, wanted: Wanted) -> None:
        """Fetch one, if its origin may be asked. Raises OSError."""
        try:
            if self._policy().towards(request_for(wanted.uri).host).offline:
                return
            problem = await self._fetch(wanted)
        except ValueError as error:  # a line that somebody else wrote
            problem = str(error)
        if problem:
            logger.warning("%s was missing and cannot be fetched: %s", wanted.uri, problem)
        else:
            await self._stored.run(self._queue.remove, [wanted])

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
