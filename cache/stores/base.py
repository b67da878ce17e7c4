"""What every store does. Stores are synchronous and safe to call from several threads.

A store may forget anything at any time; it never returns what was not stored, and never half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from cache.rules.mementos import captures_to_keep
from cache.rules.stored_response import StoredResponse

MAX_VARIANTS = 32
"""Stored responses side by side under one primary key; the least recently used goes first."""


class StoreError(Exception):
    """The store could not do what was asked: full, read-only, locked or damaged. Serving goes on without it."""


class DamagedEntry(StoreError):
    """A stored response whose body is missing, short or altered. It has been deleted."""


def supersedes(new: StoredResponse, old: StoredResponse) -> bool:
    """Tell whether a response under the same key takes the place of another.

    A whole one does where both answer just the same requests, as two fetches at once bring them. A part does not
    stand for the whole; it only takes the place of what lies within it.
    """
    if (new.method, new.vary) != (old.method, old.vary):
        return False
    if new.complete_length is None:
        return True
    within = new.first <= old.first and old.first + old.length <= new.first + new.length
    return old.complete_length is not None and within


def superseded(new: StoredResponse, stored: Iterable[StoredResponse], captures: int) -> set[str]:
    """Return the ids of what a new response takes the place of, but for `captures` states kept over time."""
    old = [each for each in stored if supersedes(new, each)]
    return {each.id for each in old} - captures_to_keep(new, old, captures)


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """What a store holds."""

    entries: int
    size: int
    """Octets in use, bodies and records."""
    max_size: int
    """Octets allowed."""


class StoredBody(Protocol):
    """The body of one stored response, open for reading; unaffected by later deletion."""

    length: int

    @property
    def descriptor(self) -> int | None:
        """An open file that begins with the body, for as long as this is open; None where there is none."""

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive).

        Raises:
            DamagedEntry: fewer octets than that are left.
        """

    def close(self) -> None:
        """Let go of the body."""


class GenerationTable(Protocol):
    """Tells whether anything under a key has changed, by whichever thread or process. Nothing here waits."""

    def slot(self, key: str) -> int:
        """Return the slot of a primary key; keys may share one."""

    def version(self) -> int:
        """Return a number that is another one after any change under any key. Take it before `current`."""

    def current(self, slot: int) -> int:
        """Return a number that is another one after any change under any key of the slot; negative while one goes on.

        Take it before reading what is to be kept; what is kept is good for as long as the number is the same.
        """


class BodyWriter(Protocol):
    """A body on its way in. Until `commit` returns, nobody sees it; after a crash nothing of it is left."""

    def write(self, chunk: bytes) -> None:
        """Append octets. Raises StoreError if they cannot be kept."""

    def read(self, start: int, stop: int) -> bytes:
        """Return octets `start` (inclusive) to `stop` (exclusive) of those written so far, also after `commit`.

        Raises:
            StoreError: there are fewer, or they were let go.
        """

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the octets written, in place of what it supersedes and what `replaces` names by id.

        Returns:
            The entry with `length` and `sha256` filled in.

        Raises:
            StoreError: nothing was stored, nothing was replaced.
        """

    def abort(self) -> None:
        """Let go of the octets, also of those that `read` returns after `commit`; what was stored stays."""


class ResponseStore(Protocol):
    """Stored responses by primary key."""

    @property
    def generations(self) -> GenerationTable:
        """The table that tells of changes."""

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return what `candidates` would, or None where only the disk knows. Never waits and never raises."""

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's whole body if it is in memory. Never waits and never raises."""

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:
        """Store an entry with its whole body as a writer would, if that needs no waiting.

        A digest that the entry has already is taken to be the body's.

        Returns:
            The entry with `length` and `sha256` filled in, or None if it needs a writer; then nothing was stored.

        Raises:
            StoreError: nothing was stored, nothing was replaced.
        """

    def revise(self, entry: StoredResponse) -> bool | None:
        """Return what `update` would, or None if that needs waiting; then nothing changed. Raises StoreError."""

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return every stored response under that primary key, most recently stored first."""

    def open(self, entry: StoredResponse) -> StoredBody:
        """Open an entry's body, its length and (once a process) its digest checked.

        Raises:
            DamagedEntry: the body is gone or altered; the entry has been deleted.
            StoreError: the store cannot be read.
        """

    def writer(self) -> BodyWriter:
        """Begin a new body. Raises StoreError."""

    def update(self, entry: StoredResponse) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`.

        Returns:
            False if the entry is gone or was updated meanwhile; then nothing changed. Raises StoreError.
        """

    def invalidate(self, key: str) -> int:
        """Mark every entry under a key as needing validation. Returns how many. Raises StoreError."""

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries that fit, among those whose key begins so. Returns how many. Raises StoreError."""

    def touch(self, entry_id: str) -> None:
        """Note that an entry was used. May be batched; never waits for the disk and never raises."""

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, or only those named. Returns how many. Raises StoreError."""

    def delete_host(self, host: str) -> int:
        """Delete every entry of a host, whatever scheme and port. Returns how many. Raises StoreError."""

    def clear(self) -> int:
        """Delete everything. Returns how many entries. Raises StoreError."""

    def entries(self) -> Iterator[StoredResponse]:
        """Iterate over all entries, ordered by key. Raises StoreError."""

    def statistics(self) -> StoreStatistics:
        """Return what the store holds. Raises StoreError."""

    def close(self) -> None:
        """Write what was batched and let go of files."""
