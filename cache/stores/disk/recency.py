"""Which entries were used lately: gathered in memory, handed over in batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Timer

_MOST = 50_000
"""Uses kept between two batches; those beyond are not noted."""


class Recency:
    """The uses of this batch and of the one before. A thread calls `flush` some while after the first of a batch."""

    def __init__(self, flush: Callable[[], None], delay: float) -> None:
        """Call `flush`, which must not raise, `delay` seconds after a use."""
        self._flush = flush
        self._delay = delay
        self._lock = Lock()
        self._used: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._timer: Timer | None = None

    def note(self, entry_id: str) -> None:
        """Note that an entry was used now."""
        used = self._used
        if entry_id in used:
            used[entry_id] = time.time()
            return
        with self._lock:
            if len(self._used) < _MOST:
                self._used[entry_id] = time.time()
            if self._timer is None:
                self._start()

    def last_use(self, entry_id: str) -> float:
        """Return when an entry was used, in seconds since the epoch; 0 if not lately, as far as is known here."""
        return self._used.get(entry_id) or self._before.get(entry_id, 0.0)

    def take(self) -> dict[str, float]:
        """Return the seconds since the epoch of the last use by entry id, and begin another batch."""
        with self._lock:
            self._before, self._used = self._used, {}
            return self._before

    def stop(self) -> None:
        """End the thread that waits, if there is one."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer:
            timer.cancel()
            timer.join()

    def _start(self) -> None:
        self._timer = Timer(self._delay, self._expire)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError:  # no more threads: the next use tries again
            self._timer = None

    def _expire(self) -> None:
        with self._lock:
            self._timer = None
        self._flush()
