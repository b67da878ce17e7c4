"""The file of the access log: lines are gathered, and appended about once a second.

Queries are hidden, because they may contain secrets (ledger SEC-10). A request that could not be parsed has "-" as
its request line. A tunnel that is passed through unopened is logged when it ends, with the number of bytes that its
client received. A tunnel that this proxy opens is logged as soon as that is decided, because each request in it has its
own line.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import select
import stat
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from addon.runtime.access_log.line_format import LineFormat
from addon.runtime.access_log.logged_response import LoggedResponse, Sending

logger = logging.getLogger(__name__)

WRITE_INTERVAL = 1.0
"""Seconds between two writes to the file."""

MODE = 0o640
"""The mode of a file that is created, since its lines tell who requested what. A file that exists keeps its mode."""

MAX_WAITING_LINES = 50_000
"""Lines that may wait for the disk. If there are more, all waiting lines are dropped, with a warning."""


WRITE_TIMEOUT = 5.0
"""Seconds for which the reader of a pipe may let it be full. The lines are lost then, with a warning."""


class AccessLog:
    """Buffers log lines and appends them to a file. It opens the file for each write, so the file can be rotated."""

    def __init__(self, path: Path, line_format: LineFormat | None = None) -> None:
        self._path = path
        self._format = line_format or LineFormat()
        self.prepare = self._format.prepare
        """See `LineFormat.prepare`."""
        self._repeats = self._format.repeats
        self._second, self._client = -1, ""
        self._values: tuple[str, ...] = ()
        """The values of a hit in this second, to this client."""
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def check(self) -> None:
        """Open the file, which is created if it does not exist. Raises OSError if it cannot be written."""
        if not self._path.is_fifo():  # its reader may come later
            os.close(_open(os.fspath(self._path), os.O_WRONLY | os.O_APPEND | os.O_CREAT))

    def note_response(self, response: LoggedResponse, sending: Sending, site: str = "") -> None:
        """Add the line of a response that was sent. `site` is the site of it."""
        self._add(self._format.line(response, sending, site))

    def note_hit(self, now: float, client: str, transport: asyncio.BaseTransport, prepared: str) -> None:
        """Add the line of a hot response that was sent at `now`, in seconds since the epoch.

        `client` is the client's address; `prepared` is what `prepare` has returned for the response.
        """
        if not self._repeats:
            self._add(prepared % self._format.values(Sending(now, client, transport=transport)))
            return
        if int(now) != self._second or client != self._client:  # to make the values takes longer than the hit itself
            self._second, self._client = int(now), client
            self._values = self._format.values(Sending(now, client))
        self._lines.append(prepared % self._values)  # without a call, as most hits come here
        if self._timer is None:
            self._write_soon()

    def _add(self, line: str) -> None:
        self._lines.append(line)
        if self._timer is None:
            self._write_soon()

    def _write_soon(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(WRITE_INTERVAL, self._write)

    def _write(self) -> None:
        self._timer = None
        if self._writing is not None and not self._writing.done():
            if len(self._lines) > MAX_WAITING_LINES:
                logger.warning("%s: %d lines are lost, the disk is too slow", self._path, len(self._lines))
                self._lines.clear()
            self._write_soon()
            return
        lines, self._lines = self._lines, []
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._append, lines)

    def _append(self, lines: list[str]) -> None:
        encoded = [f"{line}\n".encode("ascii", errors="backslashreplace") for line in lines]
        try:
            with open(self._path, "ab", buffering=0, opener=_open) as file:
                is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                # other worker processes append to the same file or pipe, and none of them may break a line
                for data in [b"".join(encoded)] if is_file else _pieces(encoded):
                    _write_all(file, data)
        except OSError as error:
            if lines:
                problem = "nothing reads this pipe" if error.errno == errno.ENXIO else error.strerror
                logger.warning("%s: %d lines are lost: %s", self._path, len(lines), problem)

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
        if lines:
            await asyncio.get_running_loop().run_in_executor(None, self._append, lines)


def _pieces(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Iterate over the lines in pieces that a pipe takes in one piece, as long as no single line is longer."""
    piece = b""
    for line in lines:
        if len(piece) + len(line) > select.PIPE_BUF and piece:
            yield piece
            piece = b""
        piece += line
    yield piece


def _write_all(file: FileIO, data: bytes) -> None:
    """Write all of the data. Raises OSError, also if a pipe stays full."""
    while data:
        written = file.write(data)
        if written is None:  # the pipe is full
            _wait_for_space(file)
        else:
            data = data[written:]


def _wait_for_space(file: FileIO) -> None:
    poll = select.poll()
    poll.register(file, select.POLLOUT)
    if not poll.poll(WRITE_TIMEOUT * 1000):
        raise TimeoutError(errno.ETIMEDOUT, "the reader of this pipe does not read")


def _open(path: str, flags: int) -> int:
    # a pipe that nothing reads would let this wait for ever, and the proxy would never end
    return os.open(path, flags | os.O_NONBLOCK, MODE)
