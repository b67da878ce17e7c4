"""The access log: one line for every answer, in the form that tools for web servers read, with what the cache did.

    127.0.0.1 - - [24/Nov/2026:10:00:00 +0000] "GET http://example.org/a HTTP/1.1" 203 1256 hit

Queries are left out: they may hold what is nobody's business (ledger SEC-10). A request that was refused before it was
understood is "-". A tunnel says `tunnel`; one that stays closed is logged when it ends, with the octets that its client
got, and one that is opened when that is known, since every request in it has its own line.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from cache.answer.cache_status import Handling
from cache.http.messages import Request

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two writes."""

NOT_UNDERSTOOD = "-"
"""What stands for a request line that nobody can tell."""

MOST = 50_000
"""Lines that may wait for the disk; what is above is lost, and said."""


class AccessLog:
    """Lines on their way to a file. It is opened for each write, so it can be moved away at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []
        self._second, self._stamp = 0, stamp(0)
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def note(self, now: float, client: str, line: str) -> None:
        """Note an answer, given at `now` (seconds since the epoch) to the address `client`."""
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = stamp(self._second)
        self._lines.append(f"{client} - - [{self._stamp}] {line}\n")
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._write)

    def _write(self) -> None:
        self._timer = None
        if self._writing is not None and not self._writing.done():
            if len(self._lines) > MOST:
                logger.warning("%s: %d lines are lost, the disk is too slow", self._path, len(self._lines))
                self._lines.clear()
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._write)
            return
        lines, self._lines = self._lines, []
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._append, lines)

    def _append(self, lines: list[str]) -> None:
        try:
            with self._path.open("a", encoding="ascii", errors="backslashreplace") as file:
                file.write("".join(lines))
        except OSError as error:
            logger.warning("%s: %d lines are lost: %s", self._path, len(lines), error.strerror)

    async def close(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        lines, self._lines = self._lines, []
        self._append(lines)


def access_line(request: Request, status: int, octets: int, handling: Handling | None) -> str:
    """Return what is logged of an answer with that many octets of content, but for when and to whom."""
    cache = "-" if handling is None else "hit" if handling.hit else str(handling.fwd)
    return line_of(request_line(request.method, request.uri, request.version), status, octets, cache)


def request_line(method: str, target: str, version: str) -> str:
    """Return what was asked, as the log has it."""
    named = target.partition("?")[0].replace('"', "%22")
    return f"{method} {named} {version}"


def line_of(asked: str, status: int, octets: int, cache: str = "-") -> str:
    """Return what is logged of an answer to `asked`: a request line, or `NOT_UNDERSTOOD`."""
    return f'"{asked}" {status} {octets} {cache}'


def stamp(second: int) -> str:
    """Return a moment as the log has it; `second` is counted from the epoch."""
    moment = datetime.fromtimestamp(second, UTC)
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[moment.month - 1]
    return f"{moment.day:02}/{month}/{moment.year}:{moment:%H:%M:%S} +0000"
