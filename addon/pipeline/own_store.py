"""The proxy's own store: opened from its settings, and watched if it is on disk or shared with other nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from addon.config.store import MemorySettings, StoreSettings
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.project_copies import ProjectCopies
from addon.pipeline.store_condition import StoreCondition
from addon.pipeline.store_watch import CLOSE_TIMEOUT, StoreWatch
from addon.runtime.counters import Counters
from addon.runtime.leases.answers import Leases
from addon.runtime.leases.client import LeaseClient
from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore, StoreError
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore
from cache.stores.tiered.store import TieredStore

if TYPE_CHECKING:
    from addon.pipeline.shared_store import SharedStore

logger = logging.getLogger(__name__)

START_TIMEOUT = 1.0
"""Seconds that a proxy waits for the store. After that, requests are answered without it until it is open."""


class OwnStore:
    """Opens the store that the settings name.

    Attributes:
        condition: Whether the store works.
        directory: Its directory; None if it is in memory. That of a shared store has what belongs to this node.
        shared: The store that other nodes use, too, if it is one.
        max_size: Its limit, in bytes; None for a shared store, of which only the engine knows it.
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
        self.directory = settings.directory if settings.kind != "memory" else None
        self.max_size = settings.max_size if settings.kind != "redis" else None
        self._settings = settings
        self._memory = memory
        self._count_lost = count_lost
        self._evictions: tuple[object, int] = (None, 0)
        by_project = settings.kind == "disk" and bool(settings.project)
        self._project = ProjectCopies(settings.directory, settings.project) if by_project else None
        self._touching: Thread | None = None
        self._watch = StoreWatch(self._opened, self.condition) if settings.kind == "disk" else None
        self.shared: SharedStore | None = None
        if settings.kind == "redis":
            settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            from addon.pipeline.shared_store import SharedStore  # it needs an extra

            self.shared = SharedStore(settings, memory, self.condition)

    def _opened(self) -> TieredStore:
        settings, project = self._settings, self._project
        on_use = project.note if project else lambda _: None
        disk = DiskStore(settings.directory, settings.max_size, captures=settings.captures, on_use=on_use)
        if project:
            # behind the start, which a project with many copies would hold up for seconds
            self._touching = Thread(target=_touch, args=(project, disk), name="project-copies", daemon=True)
            self._touching.start()
        return TieredStore(disk, self._memory.store_size, self._memory.max_object, self._lost)

    def _lost(self, reason: NotStored, count: int) -> None:
        self._count_lost(reason, count)
        if reason is NotStored.STORE_FAILED and self._watch:
            self._watch.suspect()

    def first(self, timeout_after: float) -> ResponseStore:
        """Return the store to begin with; one that takes nothing if it cannot be opened in so many seconds."""
        if self._watch:
            return self._watch.store(timeout_after)
        if self.shared:
            self.shared.wait(timeout_after)
            return self.shared.store
        return MemoryStore(self._settings.max_size, self._settings.captures)

    def described(self) -> dict[str, object]:
        """Return the store and its condition, for people and programs; of a shared store also its engine."""
        settings, condition = self._settings, self.condition
        described: dict[str, object] = {"path": str(settings.directory), "kind": settings.kind}
        if self.shared:
            described["engine"] = str(settings.address)
        if condition.last_problem:
            described["last_problem"] = {"at": condition.last_problem_at, "reason": condition.last_problem}
        return {**described, **condition.described()}

    @property
    def is_away(self) -> bool:
        """True if it is shared with other nodes, and its engine cannot be used now."""
        return self.shared is not None and self.shared.is_away

    def count_in(self, counters: Counters) -> None:
        """Count in `counters` how often the engine of a shared store did not answer."""
        if self.shared:
            self.shared.count_in(counters)

    def leases(self, lease_socket: Path | None) -> Leases | None:
        """Return what grants leases: the engine of the store, the server at `lease_socket`, or None if nothing does."""
        if self.shared:
            return self.shared.leases()
        return LeaseClient(lease_socket) if lease_socket is not None and self.directory is not None else None

    def note_stored_in(self, store: AsyncStore) -> None:
        """Count what `store` stores as used by the project, if there is one."""
        if (project := self._project) is None:
            return
        observed = store.on_stored

        def stored(entry: StoredResponse) -> None:
            project.note(entry.id)
            observed(entry)

        store.on_stored = stored

    @property
    def is_measured(self) -> bool:
        """True if the store knows its size; that of an engine is the sum of all that it has, and takes long."""
        return self.shared is None

    def new_evictions(self, store: ResponseStore) -> int:
        """Return how many responses the store has evicted since the last time; it may have been opened again."""
        known = self._evictions[1] if self._evictions[0] is store else 0
        self._evictions = store, store.evictions
        return store.evictions - known

    def start(self, store: AsyncStore, replaced: Callable[[], None]) -> None:
        """Watch the store that `store` uses, and call `replaced` when that is another one or in another state."""
        if self._watch:
            self._watch.start(store, replaced)
        if self.shared:
            self.shared.start(replaced)

    async def check(self) -> None:
        """Return when a store that was removed is not used any more."""
        if self._watch:
            await self._watch.check()

    async def close(self) -> None:
        """Stop watching, and write the list of what the project has used."""
        if self._watch:
            await self._watch.close()
        if self._project:
            self._project.end()
            if self._touching:
                await asyncio.to_thread(self._touching.join, CLOSE_TIMEOUT)
            try:
                self._project.save()
            except OSError as error:
                logger.warning("the copies of this project could not be listed: %s", error)


def _touch(project: ProjectCopies, disk: DiskStore) -> None:
    try:
        project.begin(disk.touch_all)
    except StoreError as error:  # only the order of eviction depends on it
        logger.warning("the copies of this project could not be marked as used: %s", error)
