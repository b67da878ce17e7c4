"""The proxy's own store: opened from its settings, and watched if it is on disk."""

from __future__ import annotations

from collections.abc import Callable

from addon.config.store import MemorySettings, StoreSettings
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.store_condition import StoreCondition
from addon.pipeline.store_watch import StoreWatch
from cache.policy.reasons import NotStored
from cache.stores.base import ResponseStore
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore
from cache.stores.tiered.store import TieredStore

START_TIMEOUT = 1.0
"""Seconds that a start waits for the store. After that, requests are answered without it until it is open."""


class OwnStore:
    """Opens the store that the settings name.

    Attributes:
        condition: Whether the store works.
        directory: Its directory; None if it is in memory.
    """

    def __init__(
        self, settings: StoreSettings, memory: MemorySettings, count_lost: Callable[[NotStored, int], None]
    ) -> None:
        """Begin to open it.

        Args:
            settings: They name the store.
            memory: How much of it is also kept in memory.
            count_lost: Called, on any thread, when responses that the store had accepted could not be written.
        """
        self.condition = StoreCondition()
        self.directory = settings.directory if settings.kind == "disk" else None
        self._settings = settings
        self._memory = memory
        self._count_lost = count_lost
        self._watch = StoreWatch(self._opened, self.condition) if self.directory else None

    def _opened(self) -> TieredStore:
        disk = DiskStore(self._settings.directory, self._settings.max_size, captures=self._settings.captures)
        return TieredStore(disk, self._memory.store_size, self._memory.max_object, self._lost)

    def _lost(self, reason: NotStored, count: int) -> None:
        self._count_lost(reason, count)
        if reason is NotStored.STORE_FAILED and self._watch:
            self._watch.suspect()

    def first(self) -> ResponseStore:
        """Return the store to begin with; one that takes nothing if it cannot be opened soon."""
        if self._watch:
            return self._watch.store(START_TIMEOUT)
        return MemoryStore(self._settings.max_size, self._settings.captures)

    def start(self, store: AsyncStore, replaced: Callable[[], None]) -> None:
        """Watch the store that `store` uses, and call `replaced` when that is another one."""
        if self._watch:
            self._watch.start(store, replaced)

    async def check(self) -> None:
        """Return when a store that was removed is not used any more."""
        if self._watch:
            await self._watch.check()

    async def close(self) -> None:
        """Stop watching."""
        if self._watch:
            await self._watch.close()
