"""Opens the shared store on Redis or Valkey, and says in which condition its engine is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from addon.config.store import MemorySettings, StoreSettings
from addon.pipeline.store_condition import StoreCondition, StoreState
from addon.runtime.counters import Counters
from addon.runtime.event_loop import new_event_loop
from addon.runtime.leases.shared import SharedLeases
from cache.stores.redis.address import TlsFiles
from cache.stores.redis.breaker import Interruptions
from cache.stores.redis.engine import EngineOptions
from cache.stores.redis.store import RedisOptions, RedisStore


def shared_store_options(settings: StoreSettings, memory_size: int, max_object: int) -> RedisOptions:
    """Return how the shared store of these settings is used, with so many bytes of memory in front of it."""
    tls = TlsFiles(settings.ca_file, settings.client_certificate)
    return RedisOptions(
        engine=EngineOptions(settings.address, tls, settings.timeout, new_event_loop),
        prefix=settings.prefix,
        lifetime=settings.lifetime,
        max_body=settings.largest_object,
        memory_size=memory_size,
        max_object=max_object,
        captures=settings.captures,
    )


class SharedStore:
    """The shared store of a proxy. It is always open; while its engine cannot be used, it is memory alone.

    Attributes:
        store: The store.
    """

    def __init__(self, settings: StoreSettings, memory: MemorySettings, condition: StoreCondition) -> None:
        """Connect to the engine, and change `condition` whenever it can or cannot be used."""
        self._condition = condition
        self._is_awaited = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: Callable[[], None] = lambda: None
        options = shared_store_options(settings, memory.store_size, memory.max_object)
        self.store = RedisStore(options, self._state_changed)

    def wait(self, seconds: float) -> None:
        """Wait until the engine can be used, but no longer than so many seconds."""
        can_be_used = self.store.engine.wait(seconds)
        self._is_awaited = False
        if not can_be_used:
            self._state_changed(self.store.engine.problem)

    def start(self, changed: Callable[[], None]) -> None:
        """Call `changed` on the event loop whenever the engine can be used again, or not any more."""
        self._loop, self._changed = asyncio.get_running_loop(), changed

    @property
    def is_away(self) -> bool:
        """True if the engine, or a part of it, cannot be used now."""
        return self.store.engine.problem is not None

    def leases(self) -> SharedLeases:
        """Return what asks the engine for leases."""
        return SharedLeases(self.store)

    def count_in(self, counters: Counters) -> None:
        """Count how often replies of the engine were late, and how often connections to it ended."""
        known = Interruptions()

        def count() -> None:
            nonlocal known
            now = replace(self.store.engine.interruptions)
            counters.count("engine.slow", now.slow - known.slow)
            counters.count("engine.lost", now.lost - known.lost)
            known = now

        counters.add_source(count)

    def _state_changed(self, problem: str | None) -> None:
        """Note the state of the engine. Called on the engine's thread, also before anybody has waited for it."""
        if self._is_awaited:
            return
        if problem is None:
            self._condition.change(StoreState.OPEN)
        else:
            self._condition.change(StoreState.FAILING, f"the engine of the shared store cannot be used: {problem}")
        if self._loop is not None:
            with suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self._changed)
