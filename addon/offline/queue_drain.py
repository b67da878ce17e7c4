"""Fetches the URLs of the miss queue, as soon as their origins may be asked again."""

from __future__ import annotations

import asyncio
import logging

from addon.offline.miss_queue import MissQueue, is_final
from addon.offline.prefetch import Fetched, prefetch
from addon.offline.wanted import Wanted
from addon.pipeline.active_pipeline import ActivePipeline
from cache.rules.key import request_for

logger = logging.getLogger(__name__)


class QueueDrain:
    """Works through the miss queue, one request after another."""

    def __init__(self, queue: MissQueue, active: ActivePipeline) -> None:
        self._queue = queue
        self._active = active
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start, unless it is under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            for wanted in await self._active.own.store.run(self._queue.all):
                await self._fetch(wanted)
        except OSError as error:
            logger.warning("the miss queue cannot be used: %s", error)

    async def _fetch(self, wanted: Wanted) -> None:
        """Fetch one URL if its origin may be asked, and remove it from the queue. Raises OSError."""
        try:
            policy = self._active.policy
            # a recording must not get what was missing in the proxy's own store
            if policy.recording or policy.for_host(request_for(wanted.uri).host).network.offline:
                return
            fetched = await prefetch(self._active.current, wanted)
        except ValueError as error:  # an invalid line, edited by hand
            fetched = Fetched(wanted.uri, 400, problem=str(error))
        if fetched.problem:
            logger.warning("%s was missing and is still not stored: %s", wanted.uri, fetched.problem)
        if is_final(fetched.status):
            await self._active.own.store.run(self._queue.remove, [wanted])

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
