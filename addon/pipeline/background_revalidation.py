"""Validations in the background, one per key (RFC 5861 §3): only ever as the result of a request."""

from __future__ import annotations

import asyncio

from addon.pipeline.fetcher import Fetcher
from addon.pipeline.reply import Stream
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request
from cache.rules.key import primary_key

PAUSE_AFTER_FAILURE = 5.0
"""Seconds without another attempt for a key whose background validation failed (ledger STALE-10)."""

MAX_AT_ONCE = 16
"""Background validations at the same time; beyond it a stale copy is served without one."""


class BackgroundRevalidation:
    """Runs background validations."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._quiet_until: dict[str, float] = {}

    def start(self, request: Request, sent: UpstreamRequest) -> None:
        """Start validating the stored response that has just answered `request`, unless that is under way."""
        key, now = primary_key(request), self._fetcher.clock()
        self._quiet_until = {quiet: until for quiet, until in self._quiet_until.items() if until > now}
        if key in self._tasks or key in self._quiet_until or len(self._tasks) >= MAX_AT_ONCE:
            return
        task = asyncio.get_running_loop().create_task(self._validate(sent, key))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def _validate(self, sent: UpstreamRequest, key: str) -> None:
        reply = await self._fetcher.fetch(sent.request, sent)
        failed = reply.handling is None or (reply.handling.fwd_status or 0) >= 500 or reply.handling.hit
        if failed:
            self._quiet_until[key] = self._fetcher.clock() + PAUSE_AFTER_FAILURE
        if isinstance(reply.content, Stream):
            await reply.content.close()

    async def close(self) -> None:
        """Stop them all."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
