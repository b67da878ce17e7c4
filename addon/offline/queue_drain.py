"""Fetches the URLs of the miss queue, as soon as their origins may be asked again."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from addon.offline.miss_queue import MissQueue, is_done
from addon.offline.prefetch import Fetched, prefetch
from addon.offline.wanted import Wanted
from addon.pipeline.active_pipeline import ActivePipeline
from cache.http.messages import Request
from cache.rules.key import request_for

logger = logging.getLogger(__name__)

RETRY_AFTER = 30.0
"""Seconds between two passes while an origin is left alone: there may be no client whose request tries it again."""


class QueueDrain:
    """Works through the miss queue, one request after another."""

    def __init__(self, queue: MissQueue, active: ActivePipeline, retry_after: float = RETRY_AFTER) -> None:
        self._queue = queue
        self._active = active
        self._retry_after = retry_after
        self._not_stored: set[Wanted] = set()
        """Requests that stay in the queue although their origin has answered; they are not repeated by themselves."""
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Begin another pass, now or after the one that is under way."""
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._changed.is_set() or self._active.policy.network.unreachable:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._retry_after):
                        await self._changed.wait()
                self._changed.clear()
                await self._fetch_all()
        except OSError as error:
            logger.warning("the miss queue cannot be used: %s", error)

    async def _fetch_all(self) -> None:
        """Fetch the URLs whose origins may be asked; after one failure of an origin, no more of it. Raises OSError."""
        failed: set[str] = set()
        queue = await self._active.own.store.run(self._queue.all)
        self._not_stored.intersection_update(queue)
        for wanted in queue:
            if wanted in self._not_stored:
                continue
            try:
                request = request_for(wanted.uri)
            except ValueError as error:  # an invalid line, edited by hand
                await self._conclude(wanted, Fetched(wanted.uri, 400, problem=str(error)))
                continue
            if request.origin not in failed and not await self._fetch(wanted, request):
                failed.add(request.origin)

    async def _fetch(self, wanted: Wanted, request: Request) -> bool:
        """Fetch one URL if its origin may be asked. Return false if the origin is left alone now. Raises OSError."""
        policy = self._active.policy
        # a recording must not get what was missing in the proxy's own store
        if policy.recording or policy.for_host(request.host).network.offline:
            return True
        try:
            fetched = await prefetch(self._active.current, wanted)
        except ValueError as error:
            fetched = Fetched(wanted.uri, 400, problem=str(error))
        if self._active.policy.leaves_alone(request):
            return False
        await self._conclude(wanted, fetched)
        return True

    async def _conclude(self, wanted: Wanted, fetched: Fetched) -> None:
        """Log a failure; remove the URL from the queue if there is no more to do for it. Raises OSError."""
        if fetched.problem:
            logger.warning("%s was missing and is still not stored: %s", wanted.uri, fetched.problem)
        if is_done(fetched.status, stored=not fetched.problem):
            await self._active.own.store.run(self._queue.remove, [wanted])
        elif 200 <= fetched.status < 500:
            self._not_stored.add(wanted)

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
