"""A transaction on entries: it changes their heads and bodies together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cache.rules.freshness import made_at
from cache.rules.stored_response import StoredResponse
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.codec import encode_row
from cache.stores.disk.head_rows import variants_in
from cache.stores.disk.row_transaction import RowTransaction
from cache.stores.disk.rows import Rows
from cache.stores.disk.spool import Spool
from cache.stores.encoded_entries import Encoded, admitted, encoded
from cache.stores.purge_scopes import all_names_of
from cache.stores.supersession import superseded

MAX_EVICTED = 4000
"""Entries that one transaction evicts: more than it adds, so that a store whose limit was lowered soon fits it."""


class EntryTransaction:
    """Changes to entries within one row transaction. A damaged head row counts as empty and is overwritten."""

    def __init__(
        self,
        rows: Rows,
        changes: RowTransaction,
        captures: int = 1,
        last_use: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        """Make changes through `changes`.

        Args:
            rows: the rows to read from.
            changes: the row transaction.
            captures: how many states of a response are kept over time.
            last_use: returns the last use of an entry, in seconds since the epoch, if the rows do not have it yet.
        """
        self._rows = rows
        self._changes = changes
        self._captures = captures
        self._last_use = last_use
        self.results: dict[str, tuple[StoredResponse, ...]] = {}
        """The entries under each key that was changed, most recently stored first."""

    @property
    def before(self) -> dict[int, int | None]:
        """Values of the changed slots before the transaction; set by the commit."""
        return self._changes.before

    @property
    def generation(self) -> int | None:
        """Value of the changed slots after the commit; None if another connection has committed meanwhile."""
        return self._changes.generation

    @property
    def last_purge(self) -> int:
        """Number of the last purge before the transaction."""
        return self._changes.last_purge

    def is_outdated(self, slot: int, generation: int, removals: int | None) -> bool:
        """Return whether something under a slot has changed since memory had it.

        With `removals`, which was the version of removals then, it may have changed as long as nothing was removed.
        """
        generations = self._changes.generations
        return generations.stable_value(slot) != generation and removals != generations.removal_version()

    def is_purged(self, key: str, last_purge: int, tags: str) -> bool:
        """Return whether something with these tags under a key may have been purged after the purge of that number."""
        if last_purge == self.last_purge:
            return False
        return self._changes.purges.is_outdated(all_names_of(key), last_purge, tags)

    def insert(
        self, entry: StoredResponse, data: bytes, body: bytes | Spool, replaces: Iterable[str], used: float
    ) -> None:
        """Store an entry with its body. Its rows may wait for `write_added`.

        Args:
            entry: the entry.
            data: the entry, encoded.
            body: its body.
            replaces: ids of entries to delete.
            used: time of the last use, in seconds since the epoch.

        Raises:
            Overtaken: it was purged since it was asked for.
            StoreError: nothing was changed.
        """
        key = entry.key
        entry, data = admitted(entry, data, self._changes.purges)
        if isinstance(body, bytes) and self._changes.is_known_empty(key):  # it saves the query for other entries
            self._changes.add(encode_row([data]), entry, body, used)
            self.results[key] = (entry,)
            return
        self._changes.put_body(entry, body, used)
        variants = self._variants(key)
        ended = superseded(entry, (each for each, _ in variants), self._captures)
        replaced = {*replaces, entry.id, *ended}
        uses = self._changes.bodies_of(key)
        present = [each.id for each, _ in variants if each.id in uses and each.id not in replaced]
        present.sort(key=lambda each: max(uses[each], self._last_use(each)))
        kept = present[-(MAX_VARIANTS - 1) :]  # the most recently used
        self._write(key, [(entry, data), *(each for each in variants if each[0].id in kept)])

    def carry_out_purges(self, key: str) -> None:
        """Write the entries under a key as purges leave them: without some, or with some marked."""
        self._write(key, self._variants(key))

    def write_added(self) -> None:
        """Write the rows of entries that wait. Raises IdTaken if that is impossible for one of them."""
        self._changes.write_added()

    def update(self, entry: StoredResponse, sole_variant: bytes | None = None) -> bool:
        """Replace the head of a stored entry if its revision is `entry.revision - 1`. Return whether it was replaced.

        `sole_variant` is the entry, encoded, if the caller knows that the stored one has that revision and is the only
        one under its key.

        Raises:
            StoreError: the head must not be stored; nothing was changed.
        """
        if sole_variant is not None:
            rewritten = self._changes.rewrite_head(entry, encode_row([sole_variant]))
            self.results[entry.key] = (entry,) if rewritten else ()
            return rewritten
        variants = self._variants(entry.key)
        stored = next((each for each, _ in variants if each.id == entry.id), None)
        if stored is None or stored.revision != entry.revision - 1:
            self.results[entry.key] = tuple(each for each, _ in variants)
            return False
        updated = encoded(replace(entry, length=stored.length, sha256=stored.sha256))
        if stored.tags != entry.tags:
            self._changes.replace_tags(entry)
        self._write(entry.key, [updated if each[0] is stored else each for each in variants])
        return True

    def invalidate(self, key: str, fits: Callable[[StoredResponse], bool]) -> int:
        """Mark the entries under a key that `fits` accepts as needing validation. Return their number."""
        variants = self._variants(key)
        # A new revision, so that a 304 to an earlier request cannot remove the mark
        marked = {
            each.id: encoded(replace(each, invalid=True, revision=each.revision + 1))
            for each, _ in variants
            if fits(each)
        }
        if marked:
            self._write(key, [marked.get(each[0].id, each) for each in variants])
        else:
            self._changes.overtake(key)
        self._changes.removes = True
        return len(marked)

    def delete(self, key: str, ids: Iterable[str] | None) -> int:
        """Delete the entries under a key, all or only those with these ids. Return their number."""
        deleted = None if ids is None else set(ids)
        variants = self._variants(key)
        kept = [each for each in variants if deleted is not None and each[0].id not in deleted]
        self._write(key, kept)
        self._changes.removes = True
        return len(variants) - len(kept)

    def evict(self, max_size: int) -> int:
        """Delete the least recently used entries until at most `max_size` bytes are in use. Return their number.

        At most MAX_EVICTED are deleted: other writers wait meanwhile, and each deletion takes memory until the commit.
        """
        count, spared = 0, set[str]()
        self._changes.write_added()
        while (
            count < MAX_EVICTED
            and self._rows.bytes_in_use() > max_size
            and (oldest := self._changes.least_recently_used())
        ):
            # The rows get the last uses late: an entry that was used since is put back in the order, once
            if (last := self._last_use(oldest.entry_id)) > oldest.used and oldest.entry_id not in spared:
                self._changes.touch({oldest.entry_id: last})
                spared.add(oldest.entry_id)
                continue
            self._changes.drop_body(oldest)
            self._write(oldest.key, [each for each in self._variants(oldest.key) if each[0].id != oldest.entry_id])
            count += 1
        return count

    def _variants(self, key: str) -> list[Encoded]:
        self._changes.write_added()
        return variants_in(self._rows, key, self._changes.purges) or []

    def _write(self, key: str, entries: Sequence[Encoded]) -> None:
        """Replace all entries under a key by these, and delete the bodies of all others."""
        if entries:
            made = min(made_at(entry) for entry, _ in entries)
            self._changes.put_head(key, encode_row([data for _, data in entries]), made)
        else:
            self._changes.drop_head(key)
        self._changes.drop_bodies(key, but=[each.id for each, _ in entries])
        self.results[key] = tuple(each for each, _ in entries)
