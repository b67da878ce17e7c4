"""Adds to the time series once a minute what the counters of the proxy have counted since, and answers for a range."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from addon.runtime.control_client import ControlError
from addon.runtime.series.counts import NOTHING, Counts, by_name, counts_of, increase
from addon.runtime.series.series_file import STEPS, SeriesFile, step_for

INTERVAL = 60.0
"""Seconds between two looks at the counters."""

RANGES = {name: step.span for name, step in zip(("1h", "24h", "30d"), STEPS, strict=True)}
"""The ranges that can be asked for, in seconds."""

logger = logging.getLogger(__name__)


class SeriesRecorder:
    """Writes the time series of one proxy. Requests cost nothing for it: it compares counters that exist anyway."""

    def __init__(
        self,
        file: SeriesFile,
        counters: Callable[[], Awaitable[Mapping[str, int]]],
        clock: Callable[[], float],
        *,
        in_thread: bool = True,
    ) -> None:
        """Prepare to record.

        Args:
            file: The series.
            counters: Returns the counters of the proxy since its start.
            clock: Returns seconds since the epoch.
            in_thread: A slow disk does not stop the event loop.
        """
        self._file = file
        self._counters = counters
        self._clock = clock
        self._in_thread = in_thread
        self._lock = asyncio.Lock()
        self._noted = NOTHING
        self._noted_at = clock()
        self._is_mended = self._has_failed = False
        self._recording: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look at the counters at the end of every minute from now on."""
        self._recording = asyncio.get_running_loop().create_task(self._record())

    async def close(self) -> None:
        """Add what was counted last, and stop."""
        if self._recording is not None:
            self._recording.cancel()
            await asyncio.gather(self._recording, return_exceptions=True)
            self._recording = None
            await self.note()

    async def _record(self) -> None:
        while True:
            await self.note()
            await asyncio.sleep(INTERVAL - self._clock() % INTERVAL)

    async def note(self) -> None:
        """Add what was counted since the last time. What cannot be written now is added the next time."""
        # a cancelled caller must not leave a thread that writes what the next one would add again
        await asyncio.shield(self._note())

    async def _note(self) -> None:
        async with self._lock:
            counted, now = counts_of(await self._counters()), self._clock()
            # a minute that has just ended is the one that the counts belong to
            at = now - min(max(now - self._noted_at, 0.0), INTERVAL) / 2
            try:
                await self._run(self._write, at, increase(self._noted, counted))
            except OSError as error:
                if not self._has_failed and not isinstance(error, FileNotFoundError):  # the store is away, and says so
                    logger.warning("the time series cannot be written: %s", error)
                self._has_failed = True
                return
            self._noted, self._noted_at, self._has_failed = counted, now, False

    def _write(self, at: float, counts: Counts) -> None:
        if not self._is_mended:
            self._file.mend()
            self._is_mended = True
        self._file.add(at, counts)

    async def _run[**P, T](self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return await asyncio.to_thread(work, *arguments, **named) if self._in_thread else work(*arguments, **named)

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command `series`: return the points of a `range`, up to this moment.

        Raises:
            ValueError: there is no such range.
            ControlError: the file cannot be read.
        """
        name = str(arguments.get("range", "1h"))
        if name not in RANGES:
            raise ValueError(f"expected a range of {', '.join(RANGES)}, found {name}")
        await self.note()
        try:
            points = await self._run(self._file.points, RANGES[name], self._clock())
        except OSError as error:
            raise ControlError(f"the time series cannot be read: {error}") from error
        step = step_for(RANGES[name]).seconds
        return {"range": name, "step": step, "points": [described(at, counts) for at, counts in points]}


def described(at: int, counts: Counts) -> dict[str, object]:
    """Return a point as JSON has it: its beginning, in seconds since the epoch, and the numbers by their names."""
    return {"at": at, **by_name(counts)}
