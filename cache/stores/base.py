"""The interface of all stores. Their methods are synchronous and may be called from several threads.

A store may delete any response at any time. It never returns anything else than what was stored, nor a part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from cache.rules.stored_response import StoredResponse
from cache.stores.listing import Listing, Selection
from cache.stores.purge_scopes import Scope
from cache.stores.whole_copy import WholeCopy


class StoreError(Exception):
    """The operation failed: the store is full, read-only, locked or damaged. The proxy goes on without the store."""


class Overtaken(StoreError):
    """The response was not stored: it was purged after it had been asked for."""


class DamagedEntry(StoreError):
    """The body of a stored response is missing, truncated or altered. The stored response has been deleted."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Number and size of the responses that a purge covers. Variants and coded forms count one by one."""

    copies: int
    size: int | None = None
    """Bytes of their bodies; None if they were not added up."""


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """Number and size of the responses in a store."""

    entries: int
    size: int
    """Bytes in use, for bodies and records."""
    max_size: int | None
    """Limit for `size`, in bytes; None if the store does not know it."""


class StoredBody(Protocol):
    """The body of one stored response, open for reading. A later deletion does not affect it."""

    length: int

    @property
    def descriptor(self) -> int | None:
        """File descriptor of a file that begins with the body, valid until `close`; None if there is no file."""

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive).

        Raises:
            DamagedEntry: the body is shorter than `stop`.
        """

    def close(self) -> None:
        """Close the body."""


@dataclass(slots=True, eq=False)
class Stamp:
    """Shows later whether what was read under a key is still valid."""

    slot: int
    """The slot of the key in the generation table."""
    generation: int
    """The number in the slot."""
    version: int
    """The version of the table."""
    names: tuple[str, ...]
    """The names by which the key can be purged."""
    purges: int
    """Number of the last purge that is known not to cover the key."""
    tags: str
    """The cache tags of what was read, a line for each."""


class GenerationTable(Protocol):
    """Shows whether something under a key has changed, in any thread or process. No method waits."""

    def version(self) -> int:
        """Return a number that differs after any change under any key."""

    def generation(self, key: str) -> int:
        """Return a number that differs after any change under a key, except a purge of a tag."""

    def removal_version(self) -> int:
        """Return a number that differs after anything was deleted or invalidated under a single key."""

    def last_purge(self) -> int:
        """Return the number of the last purge that is known; -1 if finding out needs waiting."""

    def may_concern(self, key: str, number: int) -> bool:
        """Return whether a response that was asked for before the purges after that number may be covered by one."""

    def stamp(self, key: str) -> Stamp:
        """Return a stamp for what is read now under a key, without its tags. Take it before the data is read."""

    def is_current(self, stamp: Stamp) -> bool:
        """Return whether nothing has changed under the stamp's key, by a purge or otherwise."""


class BodyWriter(Protocol):
    """A new body. Other readers see it only after `commit`; after a crash nothing of it is left."""

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises StoreError if they cannot be stored."""

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` (inclusive) to `stop` (exclusive) of those written so far. Also works after `commit`.

        Raises:
            StoreError: there are fewer, or `abort` has released them.
        """

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store `entry` with the bytes written. Delete what it supersedes, and the entries with ids in `replaces`.

        Returns:
            The entry with `length` and `sha256` set.

        Raises:
            Overtaken: it was purged since it was asked for (`entry.last_purge`).
            StoreError: nothing was stored, nothing was deleted.
        """

    def abort(self) -> None:
        """Release the bytes, so that `read` fails from now on. A committed entry stays stored."""


class ResponseStore(Protocol):
    """A store of responses by primary key."""

    @property
    def generations(self) -> GenerationTable:
        """The table that shows changes of the store."""

    def peek(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return the result of `candidates`, or None if that needs the disk. Never waits and never raises."""

    def peek_body(self, entry: StoredResponse) -> bytes | None:
        """Return the whole body of an entry if it is in memory, else None. Never waits and never raises."""

    def peek_whole(self, key: str) -> WholeCopy | tuple[()] | None:
        """Return the stored response under a key with its body, if it is small and the only one. Never waits or raises.

        The store does not keep it in memory, since the caller keeps what it makes of it.

        Returns:
            An empty tuple if nothing is stored under the key; None if the other methods have to find out.
        """

    def keep(self, entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:
        """Store an entry with its whole body, as a writer would, if that is possible without waiting.

        If the entry has a `sha256` already, the caller guarantees that it is the body's.

        Returns:
            The entry with `length` and `sha256` set, or None if it has to be stored by a writer: nothing was stored.

        Raises:
            Overtaken: it was purged since it was asked for (`entry.last_purge`).
            StoreError: nothing was stored, nothing was deleted.
        """

    def try_update(self, entry: StoredResponse) -> bool | None:
        """Return the result of `update`, or None if that needs waiting: nothing was changed. Raises StoreError."""

    def call_when_committed(self, key: str, call: Callable[[], None], /) -> bool:
        """Call a function once other processes see all changes made so far under a key, or never will.

        It is called on any thread, and must not use the store. Never waits.

        Returns:
            False if they see them already: it is not called.
        """

    def commit(self) -> None:
        """Wait until other processes see the changes made so far."""

    def commit_soon(self) -> None:
        """Let other processes see the changes made so far as soon as possible. Never waits."""

    def candidates(self, key: str) -> tuple[StoredResponse, ...]:
        """Return all stored responses under a primary key, most recently stored first."""

    def open(self, entry: StoredResponse) -> StoredBody:
        """Open the body of an entry. Its length is checked each time, its digest once per process.

        Raises:
            DamagedEntry: the body is missing or altered; the entry has been deleted.
            StoreError: the store cannot be read.
        """

    def writer(self) -> BodyWriter:
        """Begin a new body. Raises StoreError."""

    def update(self, entry: StoredResponse) -> bool:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`.

        Returns:
            False if the entry was deleted or updated in the meantime; then nothing was changed. Raises StoreError.
        """

    def invalidate(self, key: str) -> int:
        """Mark all entries under a key as needing validation. Return their number. Raises StoreError."""

    def invalidate_where(self, prefix: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Invalidate the entries that `fits` accepts, of keys with a prefix. Return their number. Raises StoreError."""

    def holds(self, prefix: str) -> bool:
        """Return whether anything is stored under a key with this prefix. Raises StoreError."""

    def touch(self, entry_id: str) -> None:
        """Record that an entry was used just now. May be batched; never waits for the disk and never raises."""

    def delete(self, key: str, ids: Iterable[str] | None = None) -> int:
        """Delete the entries under a key, all or only those with these ids. Return their number. Raises StoreError."""

    def purge(self, scopes: Sequence[Scope]) -> Extent:
        """Purge what these scopes, all hard or all soft, cover. It is true for all processes when this returns.

        What is covered by a hard purge counts as absent, and is deleted later. By a soft one, it is `soft_purged`.

        Raises:
            StoreError: nothing is purged.
        """

    def measure(self, scopes: Sequence[Scope]) -> Extent:
        """Return number and size of what a purge of these scopes would cover. Raises StoreError."""

    def entries(self, after: str = "") -> Iterator[StoredResponse]:
        """Iterate over the entries of all keys, or of those behind one, ordered by key. Raises StoreError."""

    def listing(self, selection: Selection) -> Listing:
        """Return a list of the entries, without what is known not to fit. Its iterator may raise StoreError.

        A store whose entries are in no order makes it of a sample. Raises ValueError if there is no such place.
        """

    def statistics(self) -> StoreStatistics:
        """Return number and size of the entries. Raises StoreError."""

    def free_space(self) -> int:
        """Return how many bytes may still be stored before entries are evicted, quicker than `statistics`.

        What is still to be written may be left out. Raises StoreError.
        """

    @property
    def evictions(self) -> int:
        """Number of entries that this process has deleted to make room for others, since it opened the store."""

    def close(self) -> None:
        """Write pending changes and close the files."""
