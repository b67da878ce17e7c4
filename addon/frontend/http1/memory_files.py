"""Large contents of hot responses, in files in memory: the kernel sends these without copying them for each client.

Copying 100 KiB into the buffers of a socket takes longer than everything else that a hit does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

from addon.frontend.http1.hot_response import HotResponse
from addon.frontend.http1.send import is_plain_socket, write_together

MAX_FILES = 256
"""Files that are open at the same time."""


class MemoryFile:
    """A file in memory. It ends with its last reference."""

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor."""
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


def memory_file(content: bytes) -> MemoryFile:
    """Return a file with this content. Raises OSError if there is no room for one more."""
    made = MemoryFile(os.memfd_create("secondhand-content", os.MFD_CLOEXEC))
    with os.fdopen(made.descriptor, "wb", closefd=False) as file:
        file.write(content)
    return made


class MemoryFiles:
    """The files of the hot responses in use, at most `max_size` bytes of them. Belongs to the event loop.

    A response gets a file when it is sent a second time within a second, and loses it after a second without use.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size if sys.platform == "linux" else 0
        self._size = 0
        self._files: dict[HotResponse, MemoryFile] = {}
        self._sent: set[HotResponse] = set()
        """Those that were sent since the last call of `drop_unused`."""

    def __len__(self) -> int:
        """Return how many files there are."""
        return len(self._files)

    def drop_unused(self) -> None:
        """Drop the files of responses that were not sent since the last call. Called once a second."""
        for hot in self._files.keys() - self._sent:
            self._drop(hot)
        self._sent.clear()

    def write(self, transport: asyncio.Transport, head: bytes, hot: HotResponse) -> None:
        """Write a hot response: its head, and its content, from a file if that is possible."""
        sent = 0
        if is_plain_socket(transport) and not transport.get_write_buffer_size() and not transport.is_closing():
            file = self._file_of(hot)
            if file is not None:
                sent = _send(transport, head, file, len(hot.content))
        if sent < len(head):
            write_together(transport, head[sent:], hot.content)
        elif sent < len(head) + len(hot.content):
            transport.write(memoryview(hot.content)[sent - len(head) :])

    def _file_of(self, hot: HotResponse) -> MemoryFile | None:
        """Return the file of a response that is sent now; None if it has none and gets none."""
        known = self._files.get(hot)
        if known is None and hot in self._sent:
            known = self._made(hot)
        self._sent.add(hot)
        return known

    def _made(self, hot: HotResponse) -> MemoryFile | None:
        if len(self._files) >= MAX_FILES or self._size + len(hot.content) > self._max_size:
            return None
        try:
            made = self._files[hot] = memory_file(hot.content)
        except OSError:  # the process has too many open files, or may have none in memory
            return None
        self._size += len(hot.content)
        return made

    def _drop(self, hot: HotResponse) -> None:
        del self._files[hot]
        self._size -= len(hot.content)


def _send(transport: asyncio.Transport, head: bytes, file: MemoryFile, length: int) -> int:
    """Have the socket take a head and a content of `length` bytes; return how many bytes of both it has taken."""
    known = transport.get_extra_info("socket")
    # the event loop's own object cannot send; this one borrows its descriptor
    borrowed = socket.socket(known.family, known.type, known.proto, known.fileno())
    sent = 0
    try:
        sent = borrowed.send(head, socket.MSG_MORE)  # the head waits for the content, so that both share a segment
        if sent == len(head):
            sent += os.sendfile(borrowed.fileno(), file.descriptor, 0, length)
    except OSError:
        pass  # it has no room, or is broken: the transport finds that out when it gets the rest
    finally:
        borrowed.detach()
    return sent
