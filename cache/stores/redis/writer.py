"""A body that is being received: it goes to the engine when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256

from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.redis.spool import Spool

Insert = Callable[[StoredResponse, bytes | Spool, Iterable[str]], StoredResponse]
"""Stores an entry with its body, and deletes the entries with these ids. Returns it as the purges leave it."""


class RedisWriter:
    """The body of one stored response. Other readers see it only after `commit`."""

    def __init__(self, insert: Insert, max_body: int) -> None:
        """Store a body of at most `max_body` bytes with `insert`."""
        self._insert = insert
        self._max_body = max_body
        self._digest = sha256()
        self._spool = Spool()
        self._done = False

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StoreError if they cannot be stored; then the whole body is discarded."""
        self._refuse_if_done()
        try:
            if self._spool.length + len(chunk) > self._max_body:
                raise StoreError(f"the body is larger than max_object, {self._max_body} bytes")
            self._spool.write(chunk)
        except StoreError:
            self.abort()
            raise
        self._digest.update(chunk)

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive) of those written so far. Also works after `commit`.

        Raises:
            StoreError: there are fewer, or `abort` has released them.
        """
        return self._spool.read(start, stop)

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the bytes written. Return it with `length` and `sha256` set.

        Raises:
            Overtaken: it was purged since it was asked for.
            StoreError: nothing was stored, nothing was deleted.
        """
        self._refuse_if_done()
        stored = replace(entry, length=self._spool.length, sha256=self._digest.hexdigest())
        try:
            stored = self._insert(stored, self._spool, replaces)
        except BaseException:
            self.abort()
            raise
        self._done = True
        return stored

    def abort(self) -> None:
        """Release the bytes, so that `read` fails from now on. A committed entry stays stored."""
        self._done = True
        self._spool.release()

    def _refuse_if_done(self) -> None:
        if self._done:
            raise StoreError("this body was already committed, aborted or refused")
