"""Makes coded forms of stored responses: once, after a response is stored, and on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.content_codings import encode_content
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.counters import Counters
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotCompressed
from cache.rules.coded_forms import new_form
from cache.rules.compression import MAX_SHARE, reason_not_to_compress
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_WAITING = 1024
"""Stored responses that wait to be compressed; further ones stay as they are."""


class Compression:
    """Compresses what is stored, one response at a time. Clients never wait for it."""

    def __init__(
        self, store: AsyncStore, policy: Callable[[], CachePolicy], entry_ids: Iterator[str], counters: Counters
    ) -> None:
        """Begin with the next response that `store` stores, by the policy that `policy` returns then."""
        self._store = store
        self._policy = policy
        self._entry_ids = entry_ids
        self._counters = counters
        self._turn = asyncio.Lock()
        self._tasks = BackgroundTasks()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compression")
        store.on_stored = self._stored

    def _stored(self, entry: StoredResponse) -> None:
        policy = self._policy()
        if not policy.codings.compress:
            return
        reason = reason_not_to_compress(entry, policy)
        if reason is None and len(self._tasks) >= MAX_WAITING:
            reason = NotCompressed.BUSY
        if reason is not None:
            self._note(entry, reason)
            return
        self._tasks.begin(self._compress(entry, policy.codings.compress))

    async def _compress(self, entry: StoredResponse, codings: tuple[str, ...]) -> None:
        async with self._turn:
            try:
                content = await self._content(entry)
            except StoreError:
                self._note(entry, NotCompressed.STORE_FAILED)
                return
            for coding in codings:
                await self._make(entry, content, coding)

    async def _content(self, entry: StoredResponse) -> bytes:
        body = await self._store.open_unused(entry)
        try:
            return await self._store.run(body.read, 0, entry.length)
        finally:
            self._store.release(body)

    async def _make(self, entry: StoredResponse, content: bytes, coding: str) -> None:
        coded = await asyncio.get_running_loop().run_in_executor(self._thread, encode_content, content, coding)
        if len(coded) > MAX_SHARE * len(content):
            self._note(entry, NotCompressed.NOT_SMALLER)
            return
        reason = await self._store.keep_form(entry, new_form(entry, coding, next(self._entry_ids)), coded)
        if reason is not None:
            self._note(entry, reason)
        else:
            self._counters.count("compressed")

    def _note(self, entry: StoredResponse, reason: NotCompressed) -> None:
        self._counters.count(f"not_compressed.{reason}")
        logger.debug("%s not compressed: %s", entry.target, reason)

    async def settled(self) -> None:
        """Wait until everything that is stored now is compressed."""
        await self._tasks.settled()

    async def close(self) -> None:
        """Stop compressing."""
        await self._tasks.close()
        self._thread.shutdown()
