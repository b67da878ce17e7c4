"""The lease server: a Unix socket over which the workers of one store ask for leases.

It runs in the process that starts the workers, on its event loop:

    server = LeaseServer(directory)
    await server.start()    # before the workers start; they get `server.path`
    ...
    await server.close()    # workers that are left go on without leases

A program without an event loop can run it in a thread of its own. It never waits for a worker, and a worker that sends
anything but frames is disconnected.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import cast

from addon.runtime.leases.frames import ASK, Result, Telling, from_worker, tell
from addon.runtime.leases.table import LeaseTable
from addon.runtime.unix_address import unix_address

logger = logging.getLogger(__name__)

MAX_UNREAD = 1_048_576
"""Bytes that a worker may leave unread. Beyond it, it is disconnected: it hangs, and its leases are given to others."""


class LeaseServer:
    """The server, and the table that it serves.

    Attributes:
        path: The path of its socket.
        table: The leases.
    """

    def __init__(self, directory: Path) -> None:
        """Serve on a socket in a directory, which is created if it is missing."""
        self.path = directory / f"leases-{token_hex(4)}.sock"
        self.table = LeaseTable()
        self._server: asyncio.Server | None = None
        self._workers: set[WorkerConnection] = set()

    async def start(self) -> None:
        """Listen. Only the owner of this process can connect. Sockets of dead servers are removed. Raises OSError."""
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_dead(self.path.parent)
            # it gets its name only when it listens: another server would remove a socket without a listener
            hidden = self.path.with_name(f".{self.path.name}")
            with unix_address(hidden) as address:
                listener.bind(address)
            hidden.chmod(0o600)
            listener.listen()
            hidden.rename(self.path)
            self._server = await loop.create_unix_server(self._connection, sock=listener)
        except BaseException:
            listener.close()
            raise

    def _connection(self) -> WorkerConnection:
        return WorkerConnection(self.table, self._workers, asyncio.get_running_loop().time)

    async def close(self) -> None:
        """Stop, and remove the socket. May be called again."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for worker in list(self._workers):
            worker.transport.abort()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        await server.wait_closed()


class WorkerConnection(asyncio.Protocol):
    """The connection of one worker."""

    transport: asyncio.Transport

    def __init__(self, table: LeaseTable, workers: set[WorkerConnection], now: Callable[[], float]) -> None:
        self._table = table
        self._workers = workers
        self._now = now
        self._reader = from_worker()
        self._told: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Use this transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._workers.add(self)

    def data_received(self, data: bytes) -> None:
        """Do what the worker says."""
        now = self._now()
        try:
            for kind, number, amount, name in self._reader.frames(data):
                if kind == ASK:
                    self._table.ask(self, number, name, amount / 1000, now=now)
                else:
                    self._table.end(self, number, Result(kind), amount, now=now)
        except ValueError as error:
            logger.warning("a worker is disconnected from the lease server: %s", error)
            self.transport.abort()
        self._send_all()

    def tell(self, telling: Telling, number: int, seconds: int = 0) -> None:
        """Send a frame soon, together with others."""
        self._told.append(tell(telling, number, seconds))

    def _send_all(self) -> None:
        """Send to all workers what they were told."""
        for worker in list(self._workers):
            worker.send()

    def send(self) -> None:
        """Send what this worker was told."""
        told, self._told = self._told, []
        if not told or self.transport.is_closing():
            return
        self.transport.write(b"".join(told))
        if self.transport.get_write_buffer_size() > MAX_UNREAD:
            self.transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        """End the leases of the worker."""
        self._workers.discard(self)
        self._table.lost(self, now=self._now())
        self._send_all()


def _remove_dead(directory: Path) -> None:
    """Remove the sockets of servers that were killed."""
    for path in directory.glob("leases-*.sock"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, unix_address(path) as address:
            probe.setblocking(False)
            try:
                probe.connect(address)
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)
            except OSError:  # its queue is full, so it has a listener
                pass
