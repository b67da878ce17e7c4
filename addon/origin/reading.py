"""Reads from an origin in pieces of a limited size.

uvloop hands up to 256 KiB at a time to a plain protocol. A response that its client does not read would hold all of it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Buffer

FIRST_PIECE, LARGEST_PIECE = 32_768, 262_144
"""Bytes that are read at a time at most, at first, and after much of a response has been passed on."""

_READ_BUFFER = memoryview(bytearray(LARGEST_PIECE))
"""Used by all connections: a piece is copied out of it before the event loop reads the next one."""


def may_wait(received: int) -> int:
    """Return how many bytes of a response may wait for its reader when so many have been received.

    A client that reads nothing makes the proxy hold little. One that reads gets large pieces, which cost less.
    """
    return max(FIRST_PIECE, min(received // 8, LARGEST_PIECE))


class PiecewiseProtocol(asyncio.BufferedProtocol, ABC):
    """Receives data in pieces."""

    @abstractmethod
    def data_received(self, data: bytes) -> None:
        """Take a piece."""

    def readable(self) -> int:
        """Return how many bytes may be read now, at least 1."""
        return LARGEST_PIECE

    def get_buffer(self, sizehint: int) -> Buffer:
        """Return where the event loop puts the next piece."""
        del sizehint
        return _READ_BUFFER[: self.readable()]

    def buffer_updated(self, nbytes: int) -> None:
        """Take the piece that was put there."""
        self.data_received(bytes(_READ_BUFFER[:nbytes]))
