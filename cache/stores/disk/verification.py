"""Whether stored bodies are what was stored: their length always, their digest once in a process."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from threading import Lock

from cache.rules.stored_response import StoredResponse
from cache.stores.bodies import BytesBody, FileBody
from cache.stores.disk.spool import Spool

_CHUNK = 1 << 20
_MOST_VERIFIED = 100_000
_LARGE = 16 << 20
"""Octets from which on a file that this process has just written is not read again, unless it was touched since."""


class Verification:
    """Remembers whose digest was right."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._verified: OrderedDict[str, None] = OrderedDict()
        self._written: OrderedDict[str, int] = OrderedDict()  # when files were last modified, by entry id

    def written(self, entry: StoredResponse, body: bytes | Spool) -> None:
        """Note that this process has written a body."""
        if isinstance(body, Spool) and body.length >= _LARGE:
            self._remember(self._written, entry.id, body.modified())

    def is_intact(self, entry: StoredResponse, body: BytesBody | FileBody) -> bool:
        """Tell whether a body is the entry's. Raises StoreError if it cannot be read."""
        if body.length != entry.length:
            return False
        if entry.id in self._verified:
            return True
        if not (self._is_as_written(entry, body) or _digest(body) == entry.sha256):
            return False
        self._remember(self._verified, entry.id, None)
        return True

    def _is_as_written(self, entry: StoredResponse, body: BytesBody | FileBody) -> bool:
        modified = self._written.get(entry.id)
        return isinstance(body, FileBody) and modified == os.fstat(body.descriptor).st_mtime_ns

    def _remember[T](self, known: OrderedDict[str, T], entry_id: str, value: T) -> None:
        with self._lock:
            known[entry_id] = value
            if len(known) > _MOST_VERIFIED:
                known.popitem(last=False)


def _digest(body: BytesBody | FileBody) -> str:
    digest = hashlib.sha256()
    for start in range(0, body.length, _CHUNK):
        digest.update(body.read(start, min(start + _CHUNK, body.length)))
    return digest.hexdigest()
