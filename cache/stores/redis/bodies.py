"""Bodies in the engine: chunks, each under a name of its own, which the engine may evict one by one.

A body is used only when all its chunks are here and their digest is that of the entry, so a chunk that is missing makes
a miss, and never a response that ends too early. A large body is copied to a file that has no name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from io import FileIO
from itertools import batched

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, StoreError
from cache.stores.bodies import BytesBody, FileBody
from cache.stores.redis.connection import Command, Reply
from cache.stores.redis.engine import Engine, checked
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.recency import Location
from cache.stores.redis.spool import Spool

CHUNK = 262_144 - 64
"""Bytes of a chunk; the last one is shorter. With 64 more, the engine would take memory for 320 KiB."""
_AT_ONCE = 4
"""Chunks that are asked for, or sent, with one request."""
IN_MEMORY = 1 << 20
"""Bytes up to which a body is held in memory while it is sent."""


class IdTaken(StoreError):
    """There is a body with this id already: the new one is not stored."""


def count_of(length: int) -> int:
    """Return how many chunks a body has. An empty one has one, so that its loss is noticed."""
    return max(1, -(-length // CHUNK))


class Bodies:
    """The bodies of one store."""

    def __init__(self, engine: Engine, names: KeyNames, lifetime: float) -> None:
        """Let chunks live for `lifetime` seconds."""
        self._engine = engine
        self._names = names
        self._life = int(lifetime * 1000)

    def names(self, entry: StoredResponse | Location) -> list[str]:
        """Return the names of the chunks of an entry's body."""
        return self._names.chunks(entry.key, entry.id, count_of(entry.length))

    def put(self, entry: StoredResponse, body: bytes | Spool, last: Command) -> Reply:
        """Send a body and, together with its end, one more command about the same key. Return the reply to that.

        If this fails, chunks may be left that nothing names, until their life is over.

        Raises:
            IdTaken: there is a body with this id.
            StoreError: the engine cannot be used, or is full.
        """
        reply: Reply = None
        names = self.names(entry)
        for some in batched(enumerate(names), _AT_ONCE):
            commands: list[Command] = [
                ("SET", name, _part(body, number, entry.length), "PX", self._life, "NX") for number, name in some
            ]
            commands += [last] if some[-1][1] == names[-1] else []
            replies = checked(self._engine.run(names[0], commands))
            if None in replies[: len(some)]:
                raise IdTaken(f"the id {entry.id} is taken")
            reply = replies[-1]
        return reply

    def discard(self, entry: StoredResponse) -> None:
        """Delete a body. Raises StoreError."""
        names = self.names(entry)
        self._engine.call(names[0], "UNLINK", *names)

    def open(self, entry: StoredResponse) -> BytesBody | FileBody:
        """Return an entry's whole body.

        Raises:
            DamagedEntry: a chunk is missing or altered.
            StoreError: the engine or the disk cannot be used.
        """
        if entry.length <= IN_MEMORY:
            return BytesBody(b"".join(self._intact(entry)))
        try:
            # the file has no name: it ends with the body
            with tempfile.TemporaryFile(buffering=0, prefix="secondhand-") as file:
                for part in self._intact(entry):
                    file.write(part)
                copy = FileIO(os.dup(file.fileno()))
        except OSError as error:
            raise StoreError(f"a stored body cannot be copied to {tempfile.gettempdir()}: {error.strerror}") from error
        return FileBody(copy, lambda: None)

    def _intact(self, entry: StoredResponse) -> Iterator[bytes]:
        """Yield the parts of a body. Raises DamagedEntry at its end at the latest."""
        digest, length = sha256(), 0
        for part in self._parts(self.names(entry)):
            digest.update(part)
            length += len(part)
            yield part
        if length != entry.length or digest.hexdigest() != entry.sha256:
            raise DamagedEntry(f"the stored body {entry.id} was altered")

    def _parts(self, names: Iterable[str]) -> Iterator[bytes]:
        for some in batched(names, _AT_ONCE):
            [parts] = checked(self._engine.run(some[0], [("MGET", *some)]))
            for part in parts if isinstance(parts, list) else [None]:
                if not isinstance(part, bytes):
                    raise DamagedEntry("a chunk of a stored body is missing")
                yield part


def _part(body: bytes | Spool, number: int, length: int) -> bytes:
    start = number * CHUNK
    if isinstance(body, bytes):
        return body[start : start + CHUNK]
    return body.read(start, min(start + CHUNK, length))
