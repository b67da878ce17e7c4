"""Which entries were used lately: gathered in memory, handed over in batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Timer

_MOST = 20_000
"""Uses kept between two batches; those beyond are not noted."""


class Recency:
    """Uses since the last `take`. A thread calls `flush` some seconds after the first of them."""

    def __init__(self, flush: Callable[[], None], delay: float) -> None:
        """Call `flush`, which must not raise, `delay` seconds after a use."""
        self._flush = flush
        self._delay = delay
        self._lock = Lock()
        self._used: dict[str, float] = {}
        self._timer: Timer | None = None

    def note(self, entry_id: str) -> None:
        """Note that an entry was used now. Called for every hit: the first of its uses stands for all in a batch."""
        if entry_id in self._used:
            return
        with self._lock:
            if len(self._used) < _MOST:
                self._used[entry_id] = time.time()
            if self._timer is None:
                self._start()

    def take(self) -> dict[str, float]:
        """Return the seconds since the epoch of the last use by entry id, and forget them."""
        with self._lock:
            used, self._used = self._used, {}
            return used

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
