"""Check stored bodies against their entries: the length each time, the digest once per process."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from threading import Lock

from cache.rules.stored_response import StoredResponse
from cache.stores.bodies import BytesBody, FileBody
from cache.stores.disk.spool import Spool

_CHUNK = 1 << 20
_MAX_REMEMBERED = 100_000
_LARGE = 16 << 20
"""Size in bytes from which a file that this process wrote is not read for verification, unless it was modified."""


class Verification:
    """Checks bodies, and remembers the entries whose body has passed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._verified: OrderedDict[str, None] = OrderedDict()
        self._written: OrderedDict[str, int] = OrderedDict()  # modification times by entry id

    def note_written(self, entry: StoredResponse, body: bytes | Spool) -> None:
        """Record that this process has written a body."""
        if isinstance(body, Spool) and body.length >= _LARGE:
            self._remember(self._written, entry.id, body.modified())

    def is_intact(self, entry: StoredResponse, body: BytesBody | FileBody) -> bool:
        """Return whether a body has the length and digest of the entry. Raises StoreError if it cannot be read."""
        if body.length != entry.length:
            return False
        if entry.id in self._verified:
            return True
        if not (self._is_unmodified(entry, body) or _digest(body) == entry.sha256):
            return False
        self._remember(self._verified, entry.id, None)
        return True

    def _is_unmodified(self, entry: StoredResponse, body: BytesBody | FileBody) -> bool:
        modified = self._written.get(entry.id)
        return isinstance(body, FileBody) and modified == os.fstat(body.descriptor).st_mtime_ns

    def _remember[T](self, memory: OrderedDict[str, T], entry_id: str, value: T) -> None:
        with self._lock:
            memory[entry_id] = value
            if len(memory) > _MAX_REMEMBERED:
                memory.popitem(last=False)


def _digest(body: BytesBody | FileBody) -> str:
    digest = hashlib.sha256()
    for start in range(0, body.length, _CHUNK):
        digest.update(body.read(start, min(start + _CHUNK, body.length)))
    return digest.hexdigest()
