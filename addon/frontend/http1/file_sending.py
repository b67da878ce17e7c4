"""Sends a part of a file to a client: the kernel copies it, each time that the client has read some."""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

from addon.frontend.client_gone import ClientGone
from addon.pipeline.reply import FileRange

MAX_SENDFILE = 2_097_152
"""Bytes that the kernel is asked to send at a time. Other clients have their turn after it."""


class ReadingClient(Protocol):
    """A client connection, as far as sending a file needs it."""

    async def watched(self, ready: asyncio.Future[None]) -> None:
        """Wait for `ready`, as long as the client is connected and reads. Raises ClientGone."""

    def has_read(self) -> None:
        """Give the client its whole time again to read more."""


class FileSending:
    """One part of a file on its way to the socket of a client. Driven by callbacks, as a task would take longer."""

    def __init__(self, client: ReadingClient, descriptor: int, file: FileRange) -> None:
        """Send to the socket with this file descriptor, which nothing else writes to meanwhile."""
        self._client = client
        self._descriptor = descriptor
        self._file = file
        self._position = file.start
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Send all of it. Raises ClientGone, also if the file is shorter than it was: the end must not look clean."""
        self._send()
        if not self._ended.done():
            loop = asyncio.get_running_loop()
            loop.add_writer(self._descriptor, self._send)
            try:
                await self._client.watched(self._ended)
            finally:
                loop.remove_writer(self._descriptor)
        if self._position < self._file.stop:
            raise ClientGone

    def _send(self) -> None:
        """Have the kernel send what the socket has room for."""
        size = min(MAX_SENDFILE, self._file.stop - self._position)
        try:
            sent = os.sendfile(self._descriptor, self._file.descriptor, self._position, size)
        except BlockingIOError:
            return
        except OSError:
            sent = 0  # the client has disconnected
        self._position += sent
        self._client.has_read()
        if (sent == 0 or self._position == self._file.stop) and not self._ended.done():
            self._ended.set_result(None)
