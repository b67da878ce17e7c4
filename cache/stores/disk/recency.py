"""Times of last use: at once in the memory that all processes share, and written to the rows in batches.

The rows decide what is evicted first. The shared memory keeps a process from evicting what another one has used since.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Timer

from cache.stores.generations import Generations

_MAX_ENTRIES = 50_000
"""Entries in a batch; uses of further ones are not recorded."""


class Recency:
    """The times of last use, in the current batch and the previous one. A timer calls `flush` for each batch."""

    def __init__(
        self, generations: Generations, flush: Callable[[], None], delay: float, on_use: Callable[[str], None]
    ) -> None:
        """Call `flush`, which must not raise, `delay` seconds after the first use in a batch.

        `on_use` is called with the id of each entry at its first use in a batch.
        """
        self._on_use = on_use
        self._generations = generations
        self._flush = flush
        self._delay = delay
        self._lock = Lock()
        self._used: dict[str, float] = {}
        self._previous: dict[str, float] = {}
        self._timer: Timer | None = None

    def note(self, entry_id: str) -> None:
        """Record that an entry was used now."""
        used, now = self._used, time.time()
        self._generations.note_use(entry_id, now)
        if entry_id in used:
            used[entry_id] = now
            return
        with self._lock:
            if len(self._used) < _MAX_ENTRIES:
                self._used[entry_id] = now
            if self._timer is None:
                self._start()
        self._on_use(entry_id)

    def last_use(self, entry_id: str) -> float:
        """Return the last use of an entry by any process in seconds since the epoch; 0 if none is known."""
        own = self._used.get(entry_id) or self._previous.get(entry_id, 0.0)
        return max(own, self._generations.last_use(entry_id, time.time()))

    def take(self) -> dict[str, float]:
        """Return the batch, as seconds since the epoch by entry id, and begin a new one."""
        with self._lock:
            self._previous, self._used = self._used, {}
            return self._previous

    def stop(self) -> None:
        """Cancel the timer and wait for its thread to end."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer:
            timer.cancel()
            timer.join()

    def _start(self) -> None:
        self._timer = Timer(self._delay, self._on_timer)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError:  # no more threads: the next use tries again
            self._timer = None

    def _on_timer(self) -> None:
        with self._lock:
            self._timer = None
        self._flush()
