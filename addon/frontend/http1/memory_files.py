"""Large hot responses in files in memory: the kernel sends these without copying them for each client.

Copying 100 KiB into the buffers of a socket takes longer than everything else that a hit does. A file has the head as
well, so that one system call sends a response. It is made anew when the head changes: once or twice a second.
"""

from __future__ import annotations

import asyncio
import os
import sys

from addon.frontend.http1.hot_response import HotResponse
from addon.frontend.http1.send import is_plain_socket, write_together

MAX_FILES = 256
"""Files that are open at the same time."""


class MemoryFile:
    """A file in memory with a response, which ends with its last reference.

    Attributes:
        head: The head of the response.
        size: The bytes of head and content.
    """

    def __init__(self, descriptor: int, head: bytes, size: int) -> None:
        """Take over a descriptor."""
        self._descriptor = descriptor
        self.head, self.size = head, size

    def __del__(self) -> None:
        """Close the file; the kernel keeps what it has not sent yet."""
        os.close(self._descriptor)

    def send(self, transport: asyncio.Transport) -> int:
        """Have the socket of a transport take the response; return how many bytes it has taken."""
        try:
            return os.sendfile(transport.get_extra_info("socket").fileno(), self._descriptor, 0, self.size)
        except OSError:  # it has no room, or is broken: the transport finds that out when it gets the response
            return 0


def memory_file(head: bytes, content: bytes) -> MemoryFile:
    """Return a file with a response. Raises OSError if there is no room for one more."""
    descriptor = os.memfd_create("secondhand-response", os.MFD_CLOEXEC)
    made = MemoryFile(descriptor, head, len(head) + len(content))
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.writelines((head, content))
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
        """Write a hot response with the head that it has now, from a file if that is possible."""
        sent = 0
        if is_plain_socket(transport) and not transport.get_write_buffer_size() and not transport.is_closing():
            file = self._file_of(hot, head)
            sent = file.send(transport) if file is not None else 0
        if sent < len(head):
            write_together(transport, head[sent:], hot.content)
        elif sent < len(head) + len(hot.content):
            transport.write(memoryview(hot.content)[sent - len(head) :])

    def _file_of(self, hot: HotResponse, head: bytes) -> MemoryFile | None:
        """Return the file of a response that is sent now; None if it has none and gets none."""
        known = self._files.get(hot)
        if known is None or known.head != head:
            known = self._made(hot, head) if hot in self._sent else None
        self._sent.add(hot)
        return known

    def _made(self, hot: HotResponse, head: bytes) -> MemoryFile | None:
        """Make the file of a response, in place of one with another head."""
        self._drop(hot)
        if len(self._files) >= MAX_FILES or self._size + len(head) + len(hot.content) > self._max_size:
            return None
        try:
            made = self._files[hot] = memory_file(head, hot.content)
        except OSError:  # the process has too many open files, or may have none in memory
            return None
        self._size += made.size
        return made

    def _drop(self, hot: HotResponse) -> None:
        dropped = self._files.pop(hot, None)
        self._size -= dropped.size if dropped is not None else 0
