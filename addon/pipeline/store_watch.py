"""Watches the store of a proxy: opens it again when it was removed, replaced or damaged, or could not be opened.

A thread looks twice a second whether the files of the store are still there. While there is no store, requests are
passed on and nothing is stored. When an operation fails, the thread tries to write, until that succeeds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Lock, Thread

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.store_condition import StoreCondition, StoreState
from cache.stores.base import ResponseStore, StoreError
from cache.stores.memory import MemoryStore
from cache.stores.tiered.store import TieredStore

logger = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between two looks at the files of the store."""
RETRY = 2.0
"""Seconds between two attempts to open the store, or to write to it."""
CHECK_TIMEOUT = 3.0
"""Seconds that `check` waits."""
CLOSE_TIMEOUT = 1.0
"""Seconds that `close` waits for the thread, which may be waiting for a lock or a disk."""


class StoreWatch:
    """Keeps one store open, and says in which condition it is."""

    def __init__(self, open_store: Callable[[], TieredStore], condition: StoreCondition) -> None:
        """Begin to open the store with `open_store`, which may take long, on a thread."""
        self._open_store = open_store
        self._condition = condition
        self._store: TieredStore | None = None
        self._users: tuple[asyncio.AbstractEventLoop, AsyncStore, Callable[[], None]] | None = None
        self._lock = Lock()
        self._first_attempt, self._wake, self._stopped = Event(), Event(), Event()
        self._suspicious = False
        self._next_attempt = 0.0
        self._checks: list[Future[None]] = []
        condition.observe_failures(self.suspect)
        self._is_idle = False  # the thread has ended, since `start` was not called yet
        self._thread = self._started(self._run)

    def store(self, timeout_after: float) -> ResponseStore:
        """Return the store, or one that takes nothing, if opening it fails or takes more than so many seconds."""
        if not self._first_attempt.wait(timeout_after):
            self._condition.change(StoreState.CLOSED, "opening it takes long")
        return self._store or MemoryStore(0)

    def start(self, store: AsyncStore, replaced: Callable[[], None]) -> None:
        """Watch from now on. `replaced` is called on the event loop when `store` uses another store."""
        with self._lock:
            self._users = asyncio.get_running_loop(), store, replaced
            if self._is_idle:
                self._is_idle, self._thread = False, self._started(self._watch)

    async def check(self) -> None:
        """Look at the files of the store now. Returns when a removed store is not used any more."""
        done: Future[None] = Future()
        with self._lock:
            if self._users is None:
                return
            self._checks.append(done)
        self._wake.set()
        await asyncio.wait([asyncio.wrap_future(done)], timeout=CHECK_TIMEOUT)

    async def close(self) -> None:
        """Stop watching. The store stays open."""
        self._stopped.set()
        self._wake.set()
        await asyncio.to_thread(self._thread.join, CLOSE_TIMEOUT)

    def suspect(self) -> None:
        """Try to write soon: an operation has failed. May be called on any thread."""
        self._suspicious = True
        self._wake.set()

    # ---- on the thread

    def _started(self, run: Callable[[], None]) -> Thread:
        # a daemon, since a disk that hangs must not keep the process from ending
        thread = Thread(target=run, name="store-watch", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        self._open()
        self._first_attempt.set()
        with self._lock:
            if self._users is None:
                self._is_idle = True
                return
        self._watch()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            with self._lock:
                checks, self._checks = self._checks, []
            try:
                self._look()
            except Exception:
                logger.exception("the store could not be checked")  # of any kind: the next look may succeed
            for check in checks:
                check.set_result(None)
            if not self._checks:
                self._wake.wait(INTERVAL)
            self._wake.clear()

    def _look(self) -> None:
        if self._store is not None and (problem := self._store.problem()):
            self._condition.change(StoreState.CLOSED, problem)
            lost, self._store = self._store, None
            self._next_attempt = 0.0
            self._hand_over()
            lost.close()
        if self._store is None and time.monotonic() >= self._next_attempt:
            self._open()
        self._hand_over()
        if self._store is not None and (self._suspicious or self._condition.state is StoreState.FAILING):
            self._try_to_write(self._store)

    def _open(self) -> None:
        self._next_attempt = time.monotonic() + RETRY
        try:
            store = self._open_store()
        except (StoreError, OSError) as error:
            self._condition.change(StoreState.CLOSED, str(error))
            return
        if self._stopped.is_set():
            store.close()
            return
        self._store = store
        self._condition.change(StoreState.OPEN)

    def _hand_over(self) -> None:
        """Let requests use the present store, or one that takes nothing. Return when no new request uses another."""
        if self._users is None:
            return
        loop, user, replaced = self._users
        wanted = self._store
        if loop.is_closed():  # the proxy has ended without closing its store
            self._stopped.set()
            return
        if user.sync_store is wanted or (wanted is None and isinstance(user.sync_store, MemoryStore)):
            return
        done = Event()

        def use() -> None:
            user.sync_store = wanted or MemoryStore(0)
            replaced()
            done.set()

        loop.call_soon_threadsafe(use)
        done.wait(CHECK_TIMEOUT)

    def _try_to_write(self, store: TieredStore) -> None:
        if self._condition.state is StoreState.FAILING and time.monotonic() < self._next_attempt:
            return
        self._next_attempt = time.monotonic() + RETRY
        self._suspicious = False
        try:
            store.try_to_write()
        except StoreError as error:
            self._condition.change(StoreState.FAILING, str(error))
        else:
            self._condition.change(StoreState.OPEN)
