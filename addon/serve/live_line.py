"""One line on the terminal of `secondhand serve` that shows what the proxy does: requests, hit rate, saved bytes.

It is shown only while the proxy runs in the foreground of a terminal, and erased before a line of the log is written.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import shutil
import sys
from contextlib import suppress

from addon.config.units import percent, size_text
from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError, numbers_in
from addon.runtime.series.counts import Counts, by_name, copies_in, counts_of, responses_in

INTERVAL = 2.0
"""Seconds between two lines."""

_ERASE = "\r\x1b[K"


class LiveLine:
    """The line of one proxy."""

    def __init__(self, stats: Handler) -> None:
        """Prepare to show what the control command `stats` tells. Workers that are started later know of the line."""
        self._stats = stats
        self._showing: asyncio.Task[None] | None = None
        if _has_terminal():
            for handler in logging.getLogger().handlers:
                handler.addFilter(_erased_before)

    def begin(self) -> None:
        """Show the line from now on, on a terminal."""
        if _has_terminal() and self._showing is None:
            self._showing = asyncio.get_running_loop().create_task(self._show())

    async def close(self) -> None:
        """Erase the line, and show it no more."""
        if self._showing is not None:
            self._showing.cancel()
            await asyncio.gather(self._showing, return_exceptions=True)
            self._showing = None
            _write(_ERASE)

    async def _show(self) -> None:
        earlier = counts_of({})
        while True:
            with suppress(ControlError):  # no worker is running at the moment
                later = counts_of(numbers_in(await self._stats({})))
                columns = shutil.get_terminal_size().columns
                _write(_ERASE + line_of(earlier, later, INTERVAL)[: columns - 1])
                earlier = later
            await asyncio.sleep(INTERVAL)


def line_of(earlier: Counts, later: Counts, seconds: float) -> str:
    """Return the line, by the numbers so many seconds ago and now."""
    total = by_name(later)
    responses = responses_in(total)
    rate = max(0, responses - responses_in(by_name(earlier))) / seconds
    hit_rate = percent(copies_in(total), responses) if responses else "-"
    return (
        f"{rate:,.1f} requests/s, {responses:,} in all, hit rate {hit_rate},"
        f" saved {size_text(total['bytes_from_copies'])}"
    )


def _has_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")


def _erased_before(_record: logging.LogRecord) -> bool:
    _write(_ERASE)
    return True


def _write(text: str) -> None:
    """Write to the terminal, unless it belongs to another program now, or is stopped: then nothing may wait for it."""
    with suppress(OSError):  # the terminal is gone
        descriptor = sys.stdout.fileno()
        if os.tcgetpgrp(descriptor) == os.getpgrp() and select.select([], [descriptor], [], 0)[1]:
            sys.stdout.write(text)
            sys.stdout.flush()
