"""A body on its way to disk: in memory while it is small, then in a spool file, hashed as it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cache.entry import StoredResponse
from cache.stores.base import StoreError
from cache.stores.spool import Spool

Insert = Callable[[StoredResponse, bytes | Spool, Iterable[str]], None]


class DiskWriter:
    """The body of one stored response; nobody sees it before `commit`."""

    def __init__(self, spools: Path, insert: Insert, max_size: int, inline_max: int) -> None:
        """Spool in the directory `spools` what exceeds `inline_max` octets; `insert` stores the whole."""
        self._spools = spools
        self._insert = insert
        self._max_size = max_size
        self._inline_max = inline_max
        self._digest = hashlib.sha256()
        self._octets = bytearray()
        self._spool: Spool | None = None
        self._length = 0
        self._done = False

    def write(self, chunk: bytes) -> None:
        """Append octets. Raises StoreError if they cannot be kept; then all of them are forgotten."""
        self._refuse_if_done()
        self._length += len(chunk)
        if self._length > self._max_size:
            self.abort()
            raise StoreError(f"the body does not fit into a store of {self._max_size} octets")
        self._digest.update(chunk)
        try:
            self._keep(chunk)
        except OSError as error:
            self.abort()
            raise StoreError(f"the body cannot be written in {self._spools}: {error.strerror}") from error

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the octets written and return it completed.

        Raises:
            StoreError: nothing was stored, nothing was replaced.
        """
        self._refuse_if_done()
        stored = replace(entry, length=self._length, sha256=self._digest.hexdigest())
        try:
            self._insert(stored, self._spool or bytes(self._octets), replaces)
        except BaseException:
            self.abort()
            raise
        if self._spool:
            self._spool.close()
        self._done = True
        return stored

    def abort(self) -> None:
        """Forget the octets. Harmless after `commit`."""
        if self._spool and not self._done:
            self._spool.discard()
        self._octets.clear()
        self._done = True

    def _keep(self, chunk: bytes) -> None:
        if self._spool is None and self._length > self._inline_max:
            self._spool = Spool(self._spools)
            self._spool.write(self._octets)
            self._octets.clear()
        if self._spool:
            self._spool.write(chunk)
        else:
            self._octets += chunk

    def _refuse_if_done(self) -> None:
        if self._done:
            raise StoreError("this body was committed, aborted or refused before")
