"""What a transaction does to stored responses: heads and bodies change together, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cache.rules.stored_response import StoredResponse
from cache.stores.base import MAX_VARIANTS, StoreError, superseded
from cache.stores.codec import CodecError, decode, decode_row, encode, encode_row
from cache.stores.disk.bytes_disk import RowError
from cache.stores.disk.rows import Rows
from cache.stores.disk.spool import Spool
from cache.stores.disk.transaction import Transaction

type Encoded = tuple[StoredResponse, bytes]


class Editing:
    """Changes within one transaction. Whatever raises RowError or CodecError is in a damaged row, which makes room."""

    def __init__(
        self,
        rows: Rows,
        changes: Transaction,
        captures: int = 1,
        last_use: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        """Keep so many `captures` of a response over time.

        `last_use` tells when an entry was used, in seconds since the epoch, where the rows do not know it yet.
        """
        self._rows = rows
        self._changes = changes
        self._captures = captures
        self._last_use = last_use
        self.results: dict[str, tuple[StoredResponse, ...]] = {}
        """What there is under each key after the changes so far, most recently stored first."""

    @property
    def before(self) -> dict[int, int | None]:
        """What the slots that change held before, once the transaction is committed."""
        return self._changes.before

    @property
    def generation(self) -> int | None:
        """What they hold once it is committed, if nobody else has changed anything by then."""
        return self._changes.generation

    def settled(self, slot: int) -> int | None:
        """Return what a slot holds."""
        return self._changes.generations.settled(slot)

    def insert(
        self, entry: StoredResponse, octets: bytes, body: bytes | Spool, replaces: Iterable[str], used: float
    ) -> None:
        """Store an entry, `octets` when encoded, with its body, last used at `used`.

        Raises:
            StoreError: nothing was changed.
        """
        key = entry.key
        untouched = self._changes.is_untouched(key)  # what else there is need not be asked
        self._changes.put_body(entry.id, key, body, used)
        if untouched:
            self._changes.put_head(key, encode_row([octets]))
            self.results[key] = (entry,)
            return
        variants = self._variants(key)
        ended = superseded(entry, (each for each, _ in variants), self._captures)
        replaced = {*replaces, entry.id, *ended}
        uses = self._changes.bodies_of(key)
        present = [each for each in uses if each not in replaced]
        present.sort(key=lambda each: max(uses[each], self._last_use(each)))
        kept = present[-(MAX_VARIANTS - 1) :]  # the most recently used
        self._write(key, [(entry, octets), *(each for each in variants if each[0].id in kept)])

    def update(self, entry: StoredResponse, alone: bytes | None = None) -> bool:
        """Rewrite the head of an entry if its stored revision is `entry.revision - 1`; tell whether it was.

        `alone` are its octets, where it is known to follow on the only entry under its key.

        Raises:
            StoreError: the head is not fit to be stored; nothing was changed.
        """
        if alone is not None:
            rewritten = self._changes.rewrite_head(entry.key, encode_row([alone]))
            self.results[entry.key] = (entry,) if rewritten else ()
            return rewritten
        variants = self._variants(entry.key)
        stored = next((each for each, _ in variants if each.id == entry.id), None)
        if stored is None or stored.revision != entry.revision - 1:
            self.results[entry.key] = tuple(each for each, _ in variants)
            return False
        updated = encoded(replace(entry, length=stored.length, sha256=stored.sha256))
        self._write(entry.key, [updated if each[0] is stored else each for each in variants])
        return True

    def invalidate(self, key: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries under a key that fit as needing validation. Returns how many."""
        variants = self._variants(key)
        # A new revision, so that a 304 to a request sent before cannot undo the mark
        marked = {
            each.id: encoded(replace(each, invalid=True, revision=each.revision + 1))
            for each, _ in variants
            if fits(each)
        }
        if marked:
            self._write(key, [marked.get(each[0].id, each) for each in variants])
        return len(marked)

    def delete(self, key: str, ids: Iterable[str] | None) -> int:
        """Delete the entries under a key, or only those named. Returns how many."""
        doomed = None if ids is None else set(ids)
        variants = self._variants(key)
        kept = [each for each in variants if doomed is not None and each[0].id not in doomed]
        self._write(key, kept)
        return len(variants) - len(kept)

    def clear(self) -> int:
        """Delete everything. Returns how many entries."""
        count = self._rows.body_count()
        self._changes.clear()
        return count

    def evict(self, max_size: int) -> int:
        """Delete what was not used for longest until no more than `max_size` octets are in use. Returns how many."""
        count, spared = 0, set[str]()
        while self._rows.octets_in_use() > max_size and (oldest := self._changes.least_recently_used()):
            if (last := self._last_use(oldest.entry_id)) > oldest.used and oldest.entry_id not in spared:
                self._changes.touch({oldest.entry_id: last})
                spared.add(oldest.entry_id)
                continue
            self._changes.drop_body(oldest)
            self._write(oldest.key, [each for each in self._variants(oldest.key) if each[0].id != oldest.entry_id])
            count += 1
        return count

    def _variants(self, key: str) -> list[Encoded]:
        return variants_in(self._rows, key) or []

    def _write(self, key: str, entries: Sequence[Encoded]) -> None:
        """Make these entries and their bodies all there is under a key."""
        if entries:
            self._changes.put_head(key, encode_row([octets for _, octets in entries]))
        else:
            self._changes.drop_head(key)
        self._changes.drop_bodies(key, but=[each.id for each, _ in entries])
        self.results[key] = tuple(each for each, _ in entries)


def variants_in(rows: Rows, key: str) -> list[Encoded] | None:
    """Return the entries under a key with their octets, or None if their row is damaged."""
    try:
        octets = rows.head(key)
        return decoded(octets, key) if octets is not None else []
    except (RowError, CodecError):
        return None


def decoded(row: bytes, key: str) -> list[Encoded]:
    """Return the entries in a head row, each with its octets. Raises CodecError if it is not the key's, or damaged."""
    variants = [(decode(each), each) for each in decode_row(row)]
    if any(each.key != key for each, _ in variants):
        raise CodecError("an entry under another key")
    return variants


def encoded(entry: StoredResponse) -> Encoded:
    """Return an entry with its octets. Raises StoreError if it must not be stored."""
    try:
        return entry, encode(entry)
    except CodecError as error:
        raise StoreError(f"the entry cannot be stored: {error}") from error
