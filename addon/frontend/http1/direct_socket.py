"""The socket of a client's connection, to which the kernel sends files without copying them through this process.

The transport of the event loop goes on using the same socket. So nothing is sent here while the transport has anything
left to send, and it gets what the socket does not take at once.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import cast

from addon.frontend.http1.content_files import ContentFile
from addon.frontend.http1.hot_response import HotResponse

MIN_SIZE = 65_536
"""Bytes of content from which this saves time."""


class DirectSocket:
    """The socket under a transport. Must be closed when the transport is lost: the connection lasts until then."""

    __slots__ = ("_file_of", "_socket", "_transport")

    def __init__(self, transport: asyncio.Transport, file_of: Callable[[HotResponse], ContentFile | None]) -> None:
        """Use the socket of `transport`; `file_of` returns the content of a hot response in a file, if it can."""
        self._transport = transport
        self._file_of = file_of
        self._socket: socket.socket | None = None

    def send(self, head: bytes, response: HotResponse) -> bool:
        """Send a head, and the content of a hot response from its file; return whether it was done.

        That is impossible with TLS, while the client does not read, and if there is no file.
        """
        transport = self._transport
        if transport.get_write_buffer_size() or transport.is_closing():
            return False
        if self._socket is None:
            if not is_plain(transport):
                return False
            watched = cast("socket.socket", transport.get_extra_info("socket"))
            self._socket = socket.socket(fileno=os.dup(watched.fileno()))
        file, content = self._file_of(response), response.content
        if file is None:
            return False
        try:
            sent = self._socket.send(head, socket.MSG_MORE)
        except OSError:  # the socket is full, or the client has disconnected: the transport finds out
            return False
        if sent < len(head):
            transport.writelines((head[sent:], content))
            return True
        try:
            sent = os.sendfile(self._socket.fileno(), file.descriptor, 0, len(content))
        except OSError:
            sent = 0
        if sent < len(content):
            transport.write(memoryview(content)[sent:])
        return True

    def close(self) -> None:
        """Give up the socket. May be called again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def is_plain(transport: asyncio.Transport) -> bool:
    """Return whether what is sent goes to the socket as it is: without TLS, and not on a stream of HTTP/2."""
    return transport.get_extra_info("ssl_object") is None and transport.get_extra_info("socket") is not None
