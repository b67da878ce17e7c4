"""The access log: one line for each response, in the Common Log Format, followed by the result of the cache.

    127.0.0.1 - - [24/Nov/2026:10:00:00 +0000] "GET http://example.org/a HTTP/1.1" 203 1256 hit

The result is `hit`, or the reason to ask the origin: the `fwd` of Cache-Status. If the origin's response was not
stored, the reason for that follows, as in `uri-miss/no-store`: the `detail` of Cache-Status.

Queries are hidden, because they may contain secrets (ledger SEC-10). A request that could not be parsed has "-" as
its request line. The cache result of a tunnel is `tunnel`. A tunnel that is passed through unopened is logged when it
ends, with the number of bytes that its client received. A tunnel that this proxy opens is logged as soon as that is
decided, because each request in it has its own line.
"""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from addon.config.redaction import redaction
from cache.answer.cache_status import Handling
from cache.http.messages import Request

logger = logging.getLogger(__name__)

WRITE_INTERVAL = 1.0
"""Seconds between two writes to the file."""

MODE = 0o640
"""The mode of a file that is created, since its lines tell who requested what. A file that exists keeps its mode."""

UNPARSED_REQUEST = "-"
"""The request line of a request that could not be parsed."""

MAX_WAITING_LINES = 50_000
"""Lines that may wait for the disk. If there are more, all waiting lines are dropped, with a warning."""


class AccessLog:
    """Buffers log lines and appends them to a file. It opens the file for each write, so the file can be rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []
        self._second, self._timestamp = 0, timestamp(0)
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def check(self) -> None:
        """Open the file, which is created if it does not exist. Raises OSError if it cannot be written."""
        if not self._path.is_fifo():  # its reader may come later
            os.close(_open(os.fspath(self._path), os.O_WRONLY | os.O_APPEND | os.O_CREAT))

    def note(self, now: float, client: str, line: str) -> None:
        """Add the line of a response that was sent at `now` (seconds since the epoch) to the address `client`."""
        if int(now) != self._second:
            self._second = int(now)
            self._timestamp = timestamp(self._second)
        self._lines.append(f"{client} - - [{self._timestamp}] {line}\n")
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_INTERVAL, self._write)

    def _write(self) -> None:
        self._timer = None
        if self._writing is not None and not self._writing.done():
            if len(self._lines) > MAX_WAITING_LINES:
                logger.warning("%s: %d lines are lost, the disk is too slow", self._path, len(self._lines))
                self._lines.clear()
            self._timer = asyncio.get_running_loop().call_later(WRITE_INTERVAL, self._write)
            return
        lines, self._lines = self._lines, []
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._append, lines)

    def _append(self, lines: list[str]) -> None:
        try:
            with open(self._path, "a", encoding="ascii", errors="backslashreplace", opener=_open) as file:
                file.write("".join(lines))
        except OSError as error:
            if lines:
                logger.warning("%s: %d lines are lost: %s", self._path, len(lines), error.strerror)

    def flush(self) -> None:
        """Start to write the waiting lines; the file is created if it does not exist."""
        if self._timer is not None:
            self._timer.cancel()
        self._write()

    async def close(self) -> None:
        """Write the waiting lines, and wait until they are written."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        lines, self._lines = self._lines, []
        self._append(lines)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags, MODE)


def access_line(request: Request, status: int, size: int, handling: Handling | None) -> str:
    """Return the log line of a response, without client and time. `size` is the length of the content in bytes."""
    return format_line(request_line(request.method, request.uri, request.version), status, size, result_of(handling))


def result_of(handling: Handling | None) -> str:
    """Return the result of the cache as it is logged, with the reason why a response was not stored."""
    if handling is None:
        return "-"
    result = "hit" if handling.hit else str(handling.fwd)
    return f"{result}/{handling.reason}" if handling.not_stored and handling.reason else result


def request_line(method: str, target: str, version: str) -> str:
    """Return a request line as it is logged: the query is hidden, and quotation marks are escaped."""
    logged_target = redaction.target(target).replace('"', "%22")
    return f"{method} {logged_target} {version}"


def format_line(logged_request: str, status: int, size: int, cache: str = "-") -> str:
    """Return the log line of a response to `logged_request`, a result of `request_line` or `UNPARSED_REQUEST`."""
    return f'"{logged_request}" {status} {size} {cache}'


def timestamp(second: int) -> str:
    """Return a time as it is logged, in UTC; `second` counts from the epoch."""
    moment = datetime.fromtimestamp(second, UTC)
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[moment.month - 1]
    return f"{moment.day:02}/{month}/{moment.year}:{moment:%H:%M:%S} +0000"
