"""Looks how late the event loop is: everything that a client asks for waits at least so long."""

from __future__ import annotations

import asyncio

from addon.runtime.metrics.histogram import Histogram

INTERVAL = 0.25
"""Seconds between two looks."""


class EventLoopLag:
    """A timer that compares when it should ring with when it does.

    Attributes:
        histogram: The seconds by which it was late.
    """

    def __init__(self) -> None:
        self.histogram = Histogram()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look from now on."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(INTERVAL, self._look, loop, loop.time() + INTERVAL)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.histogram.observe(max(0.0, loop.time() - due))
        self.start()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
