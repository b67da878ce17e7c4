"""Reads and changes the rows in the engine. A change is made only if the row is still the one that was read."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom

import hiredis

from cache.rules.stored_response import StoredResponse
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.base import StoreError
from cache.stores.codec import CodecError
from cache.stores.encoded_entries import Encoded, admitted, encoded
from cache.stores.redis.bodies import Bodies, IdTaken
from cache.stores.redis.connection import Command, EngineError, Reply
from cache.stores.redis.engine import Engine, checked
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.lost_changes import LostChanges, removal, signal
from cache.stores.redis.purge_log import PurgeLog
from cache.stores.redis.rows import Row, encoded_row, number_of_row, read_row, token_of
from cache.stores.redis.scripts import DRAFT_ROW
from cache.stores.redis.shared_generations import SharedGenerations
from cache.stores.redis.spool import Spool
from cache.stores.supersession import superseded

logger = logging.getLogger(__name__)

_EMPTY_LIFE = 10_000
"""Milliseconds that a row without entries lives, where all were deleted."""
_ATTEMPTS = 50
"""Attempts to change a row that other nodes change at the same time."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The outcome of a change of a row."""

    variants: tuple[StoredResponse, ...]
    """All entries under the key now."""
    number: int
    """The number of the last purge."""
    generation: int | None
    """The generation of the key's slot right after the change; None if nothing was changed."""
    count: int = 0
    """Number of entries that were changed or deleted."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The entries of which a row is to consist."""

    variants: Sequence[Encoded]
    count: int = 0
    removes: bool = False
    """Something is removed or made invalid: all nodes hear of it."""


@dataclass(frozen=True, slots=True)
class RowOptions:
    """The times and numbers by which rows are kept."""

    lifetime: float
    """Seconds that a row lives after it was written."""
    captures: int
    """Number of states of a response that are kept over time."""


class SharedRows:
    """The rows of one store. Every method waits for the engine, and raises EngineError if it cannot be used."""

    def __init__(
        self,
        engine: Engine,
        names: KeyNames,
        bodies: Bodies,
        options: RowOptions,
        *,
        purges: PurgeLog,
        generations: SharedGenerations,
        lost_changes: LostChanges,
    ) -> None:
        self._engine = engine
        self._names = names
        self._bodies = bodies
        self._options = options
        self._purges = purges
        self._generations = generations
        self._lost_changes = lost_changes

    def read(self, key: str) -> Row:
        """Return the row of a key. A damaged one counts as empty. Raises StoreError."""
        self.know_purges()
        return self.judged(key, self._engine.call(self._names.row(key), "GET", self._names.row(key)))

    def judged(self, key: str, reply: Reply) -> Row:
        """Return a row that was read. Raises StoreError."""
        number = self._purges.number() or 0
        if not isinstance(reply, bytes):
            return Row(b"", number, ())
        try:
            if number_of_row(reply) > number:  # another node knows a purge that this one has not heard of yet
                self.know_purges(anew=True)
                number = self._purges.number() or 0
            if not self._purges.is_readable(number_of_row(reply)):
                return Row(token_of(reply), number, ())
            return read_row(reply, key, number, self._purges)
        except CodecError as error:
            logger.warning("a damaged record counts as absent: %s: %s", key.partition("?")[0], error)
            return Row(token_of(reply), number, ())

    def know_purges(self, *, anew: bool = False) -> None:
        """Wait until the last purges are known. Raises StoreError."""
        if anew or self._purges.number() is None:
            checked(self._engine.run(self._names.purges, [self._purges.reading()], self._purges.read_last))

    def insert(
        self,
        entry: StoredResponse,
        body: bytes | Spool,
        replaces: Iterable[str],
        last_use: Callable[[StoredResponse], float],
    ) -> tuple[StoredResponse, Changed]:
        """Store an entry with its body. Return it as the purges leave it, and its row.

        Raises:
            Overtaken: it was purged since it was asked for.
            StoreError: it was not stored, or it is not known whether it was.
        """
        replaced, (stored, data) = set(replaces), encoded(entry)
        self.know_purges()
        stored, data = admitted(stored, data, self._purges)

        def edit(variants: Sequence[Encoded]) -> Edit:
            nonlocal stored, data
            stored, data = admitted(stored, data, self._purges)
            ended = replaced | superseded(stored, (each for each, _ in variants), self._options.captures)
            kept = [each for each in variants if each[0].id not in ended]
            while len(kept) >= MAX_VARIANTS:
                kept.remove(min(reversed(kept), key=lambda each: last_use(each[0])))
            return Edit([(stored, data), *kept])

        try:
            found = self._bodies.put(stored, body, ("GET", self._names.row(entry.key)))
            return stored, self.change(entry.key, edit, self.judged(entry.key, found))
        except (EngineError, IdTaken):
            raise  # perhaps it was stored, or the body is another one's
        except StoreError:
            self._bodies.discard(stored)
            raise

    def update(self, entry: StoredResponse) -> Changed:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`; `count` says whether it was.

        Raises:
            StoreError: the head must not be stored, or it is not known whether it was.
        """
        encoded(entry)  # a malformed head is refused whatever is stored

        def edit(variants: Sequence[Encoded]) -> Edit | None:
            stored = next((each for each, _ in variants if each.id == entry.id), None)
            if stored is None or stored.revision != entry.revision - 1:
                return None
            updated = encoded(replace(entry, length=stored.length, sha256=stored.sha256))
            return Edit([updated if each[0] is stored else each for each in variants], 1)

        return self.change(entry.key, edit)

    def invalidate(self, key: str, fits: Callable[[StoredResponse], bool]) -> Changed:
        """Mark the entries under a key that `fits` accepts as needing validation. Raises StoreError."""

        def edit(variants: Sequence[Encoded]) -> Edit:
            # a new revision, so that a 304 to an earlier request cannot remove the mark
            marked = {
                each.id: encoded(replace(each, invalid=True, revision=each.revision + 1))
                for each, _ in variants
                if fits(each)
            }
            return Edit([marked.get(each[0].id, each) for each in variants], len(marked), removes=True)

        return self._removing(key, edit)

    def delete(self, key: str, ids: Iterable[str] | None) -> Changed:
        """Delete the entries under a key, all or only those with these ids. Raises StoreError."""
        deleted = None if ids is None else set(ids)

        def edit(variants: Sequence[Encoded]) -> Edit:
            kept = [each for each in variants if deleted is not None and each[0].id not in deleted]
            return Edit(kept, len(variants) - len(kept), removes=True)

        return self._removing(key, edit)

    def _removing(self, key: str, edit: Callable[[Sequence[Encoded]], Edit | None]) -> Changed:
        """Make a change that must not be lost: if it is not known that it was made, it is repeated later."""
        # before the change: the engine may be used again before this thread knows of a failure
        self._lost_changes.note_wanted(key)
        try:
            changed = self.change(key, edit)
        except EngineError:
            raise
        except StoreError:  # an engine that is full takes no row, but it deletes one
            checked(self._engine.run(self._names.row(key), removal(self._names, key), self._noted(key, []))[:1])
            changed = Changed((), self._purges.number() or 0, None)
        self._lost_changes.note_made(key)
        return changed

    def change(self, key: str, edit: Callable[[Sequence[Encoded]], Edit | None], found: Row | None = None) -> Changed:
        """Change a row by what `edit` makes of it, which may be called again. None leaves it as it is.

        `found` is the row if it was read just now.

        Raises:
            StoreError: nothing was changed; if it is an EngineError, that is not known.
        """
        for attempt in range(_ATTEMPTS):
            row = found if found and not attempt else self.read(key)
            wanted = edit(row.variants)
            if wanted is None:
                return Changed(_entries(row.variants), row.number, None)
            noted: list[int] = []
            commands = self._replacing(key, row, wanted)
            if wanted.removes:
                commands += signal(self._names, key)
            replies = self._engine.run(self._names.row(key), commands, self._noted(key, noted))
            if _is_replaced(replies):
                return Changed(_entries(wanted.variants), row.number, noted[0], wanted.count)
            time.sleep(SystemRandom().uniform(0, 0.002) * attempt)  # so that nodes do not try at the same time again
        raise StoreError("the row was changed by others all the time")

    def _replacing(self, key: str, row: Row, wanted: Edit) -> list[Command]:
        """Return a transaction that replaces a row if it still is the one that was read."""
        left = {each.id for each, _ in wanted.variants}
        gone = [*row.purged, *(each for each, _ in row.variants if each.id not in left)]
        ended = [name for each in gone for name in self._bodies.names(each)]
        kept = [name for each, _ in wanted.variants for name in self._bodies.names(each)]
        data = encoded_row(row.number, wanted.variants)
        life = int(self._options.lifetime * 1000)
        draft = DRAFT_ROW.call(
            [self._names.row(key), self._names.draft(key), *ended, *kept],
            [row.token, data, life if wanted.variants else min(life, _EMPTY_LIFE), len(ended), life],
        )
        return [("MULTI",), draft, ("RENAME", self._names.draft(key), self._names.row(key)), ("EXEC",)]

    def _noted(self, key: str, noted: list[int]) -> Callable[[list[Reply]], None]:
        """Return a function that notes this node's change in order with those that the engine tells of."""

        def note(_replies: list[Reply]) -> None:
            noted.append(self._generations.own_change(key))

        return note


def _is_replaced(replies: list[Reply]) -> bool:
    """Return whether a transaction of `_replacing` has replaced the row. Raises StoreError if it was refused."""
    checked(replies[:3])
    [executed] = checked(replies[3:4])
    match executed:
        case [1, b"OK"]:
            return True
        case [0, _]:
            return False
        case [hiredis.ReplyError() as error, *_]:
            checked([error])
    raise StoreError(f"the engine gave an unexpected reply: {executed!r}")


def _entries(variants: Iterable[Encoded]) -> tuple[StoredResponse, ...]:
    return tuple(entry for entry, _ in variants)
