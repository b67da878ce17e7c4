"""Ends workers that hang: they are asked again and again, and killed when they give no sign for some time."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

logger = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds from one question to the next, in which it must be answered."""

MISSED = 4
"""Questions in a row without an answer, after which a worker is killed. One alone may be due to a busy machine."""


class AskedWorker(Protocol):
    """A worker, as far as it is asked."""

    @property
    def pid(self) -> int:
        """The id of its process."""

    async def responds(self, seconds: float) -> bool:
        """Return whether it responds within so many seconds."""

    def send(self, number: int) -> None:
        """Send it a signal."""


async def kill_hanging(workers: Callable[[], Sequence[AskedWorker]]) -> None:
    """Ask the workers that serve clients at the time, for ever. The supervisor replaces those that are killed."""
    missed: Counter[int] = Counter()
    while True:
        asked = list(workers())
        answers, _ = await asyncio.gather(
            asyncio.gather(*(worker.responds(INTERVAL) for worker in asked)), asyncio.sleep(INTERVAL)
        )
        missed = Counter(
            {
                worker.pid: missed[worker.pid] + 1
                for worker, responds in zip(asked, answers, strict=True)
                if not responds
            }
        )
        for worker in asked:
            if missed[worker.pid] >= MISSED and worker in workers():
                logger.error("worker %d has not responded for %g seconds; it is killed", worker.pid, INTERVAL * MISSED)
                worker.send(signal.SIGKILL)
