"""Background revalidation (RFC 5861 §3): at most one per key, and only as the result of a request."""

from __future__ import annotations

import asyncio

from addon.pipeline.fetcher import Fetcher
from addon.pipeline.reply import Stream
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request
from cache.rules.key import primary_key

PAUSE_AFTER_FAILURE = 5.0
"""Seconds without another attempt for a key whose revalidation failed (ledger STALE-10)."""

MAX_AT_ONCE = 16
"""Revalidations at the same time; beyond it a stale copy is served without one."""


class BackgroundRevalidation:
    """Revalidates stored responses while stale copies of them are served."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._paused_until: dict[str, float] = {}

    def start(self, request: Request, sent: UpstreamRequest) -> None:
        """Start to revalidate the copy that has just answered `request`, if that `may_start`."""
        if not self.may_start(request):
            return
        key = primary_key(request)
        task = asyncio.get_running_loop().create_task(self._revalidate(sent, key))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def may_start(self, request: Request) -> bool:
        """Return whether no revalidation is under way for a request's key, none failed lately, and few others run."""
        key, now = primary_key(request), self._fetcher.clock()
        latest = now + PAUSE_AFTER_FAILURE  # a later time is from before the clock was set back
        self._paused_until = {paused: until for paused, until in self._paused_until.items() if now < until <= latest}
        return key not in self._tasks and key not in self._paused_until and len(self._tasks) < MAX_AT_ONCE

    async def _revalidate(self, sent: UpstreamRequest, key: str) -> None:
        reply = await self._fetcher.fetch(sent.request, sent)
        failed = reply.handling is None or (reply.handling.fwd_status or 0) >= 500 or reply.handling.hit
        if failed:
            self._paused_until[key] = self._fetcher.clock() + PAUSE_AFTER_FAILURE
        if isinstance(reply.content, Stream):
            await reply.content.close()

    async def close(self) -> None:
        """Stop all revalidations."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
