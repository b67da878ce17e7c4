"""The protocol between workers and the lease server: frames of a fixed size, in both directions.

A worker numbers its asks. Every later frame about an ask, from either side, has its number. A worker sends a `Result`
for each ask that was granted, or that it does not wait for any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import Any

NAME_SIZE = 16
"""Bytes of a lease's name, which is a digest: the server need not know URLs."""

MAX_SECONDS = 65_535
"""The longest time that a frame can tell, in seconds."""


ASK = 1
"""The kind of a frame by which a worker asks for a lease. It waits if another worker holds the lease."""


class Result(IntEnum):
    """The ways in which a worker ends its lease, or its waiting for one."""

    STORED = 2
    """The response is in the store, where every worker sees it."""
    NOT_SHARED = 3
    """The response may not be shared, or there is none."""
    PASSED_ON = 4
    """Nothing came of it: the next worker that waits gets the lease."""


class Telling(IntEnum):
    """The server's answers to a worker."""

    GRANTED = 1
    """The worker holds the lease."""
    WAIT = 2
    """Another worker holds it. One of the other frames follows."""
    STORED = 3
    """The worker that held it has stored the response."""
    NOT_SHARED = 4
    """The worker that held it could not share the response; others need not wait for so many seconds."""
    WANTED = 5
    """Another worker waits for this one, which holds the lease."""


_FROM_WORKER = Struct(f"<BII{NAME_SIZE}s")
_FROM_SERVER = Struct("<BHI")
_NO_NAME = bytes(NAME_SIZE)


def ask(number: int, limit: float, name: bytes) -> bytes:
    """Return a frame that asks for a lease for at most `limit` seconds."""
    return _FROM_WORKER.pack(ASK, number, min(int(limit * 1000), MAX_SECONDS * 1000), name)


def end(result: Result, number: int, seconds: float = 0.0) -> bytes:
    """Return a frame that ends what was asked for; others need not wait for so many seconds."""
    return _FROM_WORKER.pack(result, number, min(int(seconds), MAX_SECONDS), _NO_NAME)


def tell(telling: Telling, number: int, seconds: int = 0) -> bytes:
    """Return a frame of the server about an ask."""
    return _FROM_SERVER.pack(telling, seconds, number)


class FrameReader[Frame: tuple[int | bytes, ...]]:
    """Cuts the bytes of one side into frames. A frame may arrive in pieces."""

    def __init__(self, frame: Struct) -> None:
        self._frame = frame
        self._rest = b""

    def frames(self, data: bytes) -> Iterator[Frame]:
        """Return the fields of each frame that is complete."""
        if self._rest:
            data = self._rest + data
        end = len(data) - len(data) % self._frame.size
        self._rest = data[end:]
        fields: Iterator[Any] = self._frame.iter_unpack(data[:end])
        return fields


def from_worker() -> FrameReader[tuple[int, int, int, bytes]]:
    """Return a reader of what a worker says: kind, number, milliseconds (seconds in a result), name."""
    return FrameReader(_FROM_WORKER)


def from_server() -> FrameReader[tuple[int, int, int]]:
    """Return a reader of what the server says: kind, seconds, number."""
    return FrameReader(_FROM_SERVER)
