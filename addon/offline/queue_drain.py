"""Fetches what was missing offline, as soon as its origin may be asked again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from addon.offline.miss_queue import MissQueue, is_answered
from addon.offline.prefetch import Fetched
from addon.offline.wanted import Wanted
from addon.pipeline.async_store import AsyncStore
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import request_for

logger = logging.getLogger(__name__)

Fetch = Callable[[Wanted], Awaitable[Fetched]]
"""Fetches into the store. Raises ValueError for what cannot be asked for."""


class QueueDrain:
    """Goes through the queue, one request after another."""

    def __init__(self, queue: MissQueue, fetch: Fetch, policy: Callable[[], CachePolicy], stored: AsyncStore) -> None:
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
            policy = self._policy()
            # what was missing among the copies does not belong into a recording
            if policy.recording or policy.towards(request_for(wanted.uri).host).network.offline:
                return
            fetched = await self._fetch(wanted)
        except ValueError as error:  # a line that somebody else wrote
            fetched = Fetched(wanted.uri, 400, problem=str(error))
        if fetched.problem:
            logger.warning("%s was missing and is not there now: %s", wanted.uri, fetched.problem)
        if is_answered(fetched.status):
            await self._stored.run(self._queue.remove, [wanted])

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
