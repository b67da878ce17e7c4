"""A body on its way to disk: in memory while it is small, then in a spool file, hashed as it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.disk.full_disk import is_full
from cache.stores.disk.spool import Spool

Insert = Callable[[StoredResponse, bytes | Spool, Iterable[str]], None]


class DiskWriter:
    """The body of one stored response; nobody sees it before `commit`."""

    def __init__(
        self, spools: Path, insert: Insert, make_room: Callable[[], bool], max_size: int, inline_max: int
    ) -> None:
        """Spool in the directory `spools` what exceeds `inline_max` octets; `insert` stores the whole.

        `make_room` is called when the disk is full and tells whether to try once more.
        """
        self._spools = spools
        self._insert = insert
        self._make_room = make_room
        self._max_size = max_size
        self._inline_max = inline_max
        self._digest = hashlib.sha256()
        self._octets = bytearray()
        self._spool: Spool | None = None
        self._length = 0
        self._done = False
        self._aborted = False

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

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive) of those written so far, also after `commit`.

        Raises:
            StoreError: there are fewer, or they were let go.
        """
        if stop > self._length or self._aborted:
            raise StoreError(f"octets {start} to {stop} of {self._length} written so far are not there")
        if self._spool is None:
            return bytes(self._octets[start:stop])
        try:
            return self._spool.read(start, stop)
        except OSError as error:
            raise StoreError(f"the body cannot be read back from {self._spools}: {error.strerror}") from error

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
        self._done = True
        return stored

    def abort(self) -> None:
        """Let go of the octets, also of those that `read` returns after `commit`; what was stored stays."""
        if self._spool:
            if self._done:
                self._spool.close()
            else:
                self._spool.discard()
        self._octets = bytearray()
        self._done = self._aborted = True

    def _keep(self, chunk: bytes) -> None:
        if self._spool is None and self._length > self._inline_max:
            self._spool = self._with_room(lambda: Spool(self._spools))
            chunk = bytes(self._octets + chunk)
            self._octets = bytearray()
        if self._spool:
            spool, end = self._spool, self._length
            self._with_room(lambda: spool.write(memoryview(chunk)[len(chunk) - (end - spool.length) :]))
        else:
            self._octets += chunk

    def _with_room[T](self, call: Callable[[], T]) -> T:
        try:
            return call()
        except OSError as error:
            if not is_full(error) or not self._make_room():
                raise
        return call()

    def _refuse_if_done(self) -> None:
        if self._done:
            raise StoreError("this body was committed, aborted or refused before")
