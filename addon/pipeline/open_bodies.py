"""Stored bodies in files, which stay open for a moment after their last use: a request that follows needs no thread.

A body never changes under its id, so what was checked when it was opened holds for every later use. A file that is
deleted takes space on the disk as long as it is open, so none stays open for long without use.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from cache.stores.base import StoredBody

KEPT_OPEN = 1.0
"""Seconds after which a body without a use in between is closed."""

MAX_OPEN = 64
"""Bodies that are kept open; further ones are closed after each use."""


class SharedBody:
    """An open body for several readers. Each of them closes it once."""

    def __init__(self, body: StoredBody) -> None:
        """Share `body` with a first reader."""
        self.length = body.length
        self.read = body.read
        self.body = body
        self.readers = 1
        self.used = True
        """A reader has opened it since the last check."""

    @property
    def descriptor(self) -> int | None:
        """File descriptor of a file that begins with the body."""
        return self.body.descriptor

    def close(self) -> None:
        """Note that a reader needs it no more."""
        self.readers -= 1


class OpenBodies:
    """The shared bodies, by the ids of their entries. Belongs to the event loop."""

    def __init__(self, close: Callable[[StoredBody], None]) -> None:
        """Call `close` for a body that is not needed any more; it must not wait."""
        self._close = close
        self._bodies: dict[str, SharedBody] = {}
        self._timer: asyncio.TimerHandle | None = None

    def find(self, entry_id: str) -> StoredBody | None:
        """Return a body that is open and has its length still, for one more reader; None if there is none."""
        shared = self._bodies.get(entry_id)
        if shared is None or shared.descriptor is None or os.fstat(shared.descriptor).st_size != shared.length:
            return None
        shared.readers += 1
        shared.used = True
        return shared

    def share(self, entry_id: str, body: StoredBody) -> StoredBody:
        """Return a body that was opened just now: as a shared one if it is in a file, and there is room for it."""
        if body.descriptor is None or entry_id in self._bodies or len(self._bodies) >= MAX_OPEN:
            return body
        shared = self._bodies[entry_id] = SharedBody(body)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(KEPT_OPEN, self._close_unused)
        return shared

    def _close_unused(self) -> None:
        """Close the bodies that have no reader, and had none since the last time."""
        self._timer = None
        for entry_id, shared in list(self._bodies.items()):
            if not shared.readers and not shared.used:
                del self._bodies[entry_id]
                self._close(shared.body)
            shared.used = False
        if self._bodies:
            self._timer = asyncio.get_running_loop().call_later(KEPT_OPEN, self._close_unused)

    def close(self) -> None:
        """Close all bodies that have no reader. Those that have one are closed with their last reference."""
        if self._timer is not None:
            self._timer.cancel()
        for shared in self._bodies.values():
            if not shared.readers:
                self._close(shared.body)
        self._bodies.clear()
