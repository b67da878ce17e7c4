"""Limits the lookups of names at a time. While others wait, a lookup has only a short time of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LookupSlots:
    """A number of slots, one for each lookup.

    For each one that waits, the lookup that began first gets a limit. So a slow lookup has all its time as long as
    there is room, and those who wait do so for a short time.
    """

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)
        self._waiting = 0
        self._without_limit: dict[asyncio.Timeout, float] = {}
        """The limits that may still be set, each with the end of a fair share, in seconds of the event loop."""

    async def acquire(self) -> None:
        """Wait for a slot. It must be used by `held` at once."""
        if self._free.locked():
            self._limit_first()
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def held(self, fair_share: float) -> AsyncIterator[None]:
        """Return the slot at the end. Raises TimeoutError after `fair_share` seconds if others wait for a slot."""
        try:
            async with asyncio.timeout(None) as limit:
                self._without_limit[limit] = asyncio.get_running_loop().time() + fair_share
                if self._waiting:
                    self._limit_first()
                try:
                    yield
                finally:
                    self._without_limit.pop(limit, None)
        finally:
            self._free.release()

    def _limit_first(self) -> None:
        """Limit the lookup that began first and has no limit. Its fair share may be over already."""
        if limit := next(iter(self._without_limit), None):
            limit.reschedule(self._without_limit.pop(limit))
