"""Write a body to disk: in memory while it is small, then in a spool file. The digest is updated with each chunk."""

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
"""Stores an entry with its body, and deletes the entries with these ids."""


class DiskWriter:
    """The body of one stored response. Other readers see it only after `commit`."""

    def __init__(
        self, spools: Path, insert: Insert, make_room: Callable[[], bool], max_size: int, inline_max: int
    ) -> None:
        """Write a body and store it with `insert`.

        Args:
            spools: directory for the spool file of a body of more than `inline_max` bytes.
            insert: called by `commit`.
            make_room: called when the disk is full; returns whether to try once more.
            max_size: limit for the body, in bytes.
            inline_max: bytes up to which the body stays in memory.
        """
        self._spools = spools
        self._insert = insert
        self._make_room = make_room
        self._max_size = max_size
        self._inline_max = inline_max
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._spool: Spool | None = None
        self._length = 0
        self._done = False
        self._aborted = False

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StoreError if they cannot be stored; then the whole body is discarded."""
        self._refuse_if_done()
        self._length += len(chunk)
        if self._length > self._max_size:
            self.abort()
            raise StoreError(f"the body does not fit into a store of {self._max_size} bytes")
        self._digest.update(chunk)
        try:
            self._append(chunk)
        except OSError as error:
            self.abort()
            raise StoreError(f"the body cannot be written in {self._spools}: {error.strerror}") from error

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive) of those written so far. Also works after `commit`.

        Raises:
            StoreError: there are fewer, or `abort` has released them.
        """
        if stop > self._length or self._aborted:
            raise StoreError(f"bytes {start} to {stop} of {self._length} written so far do not exist")
        if self._spool is None:
            return bytes(self._buffer[start:stop])
        try:
            return self._spool.read(start, stop)
        except OSError as error:
            raise StoreError(f"the body cannot be read back from {self._spools}: {error.strerror}") from error

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the bytes written. Return it with `length` and `sha256` set.

        Raises:
            StoreError: nothing was stored, nothing was deleted.
        """
        self._refuse_if_done()
        stored = replace(entry, length=self._length, sha256=self._digest.hexdigest())
        try:
            self._insert(stored, self._spool or bytes(self._buffer), replaces)
        except BaseException:
            self.abort()
            raise
        self._done = True
        return stored

    def abort(self) -> None:
        """Release the bytes, so that `read` fails from now on. A committed entry stays stored."""
        if self._spool:
            if self._done:
                self._spool.close()
            else:
                self._spool.discard()
        self._buffer = bytearray()
        self._done = self._aborted = True

    def _append(self, chunk: bytes) -> None:
        if self._spool is None and self._length > self._inline_max:
            self._spool = self._with_room(lambda: Spool(self._spools))
            chunk = bytes(self._buffer + chunk)
            self._buffer = bytearray()
        if self._spool:
            spool, end = self._spool, self._length
            # The second attempt must not repeat what the first one has written
            self._with_room(lambda: spool.write(memoryview(chunk)[len(chunk) - (end - spool.length) :]))
        else:
            self._buffer += chunk

    def _with_room[T](self, call: Callable[[], T]) -> T:
        """Return the result of `call`; if the disk is full, make room and call it once more."""
        try:
            return call()
        except OSError as error:
            if not is_full(error) or not self._make_room():
                raise
        return call()

    def _refuse_if_done(self) -> None:
        if self._done:
            raise StoreError("this body was already committed, aborted or refused")
