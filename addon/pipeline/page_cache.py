"""Reads from the page cache without waiting for the disk: to ask a thread takes several times as long."""

from __future__ import annotations

import os
import sys

LARGEST = 65_536
"""Bytes that are read at a time at most."""

_BUFFER = memoryview(bytearray(LARGEST))
"""Used by all reads: what was read is copied out of it at once."""


def read_cached(descriptor: int, start: int, stop: int) -> bytes | None:
    """Return bytes `start` (inclusive) to `stop` (exclusive) of a file, or None if the page cache lacks some of them.

    Not every system and file system can tell; then the result is None.
    """
    if sys.platform != "linux" or stop - start > LARGEST:
        return None
    wanted = _BUFFER[: stop - start]
    try:
        size = os.preadv(descriptor, [wanted], start, os.RWF_NOWAIT)
    except OSError:
        return None
    return bytes(wanted) if size == len(wanted) else None
