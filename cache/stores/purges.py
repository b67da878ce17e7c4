"""Purges: a stored response that is older than the last purge of a scope that covers it counts as absent, or as stale.

A purge is one small record, a number for a scope. It is true at once, and the responses are deleted or marked later, a
few at a time. Purges are numbered, not timed: the clock may be set back.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from cache.rules.stored_response import StoredResponse
from cache.stores.base import Overtaken
from cache.stores.purge_scopes import Where, all_names_of, scope_of, tag_name

REMEMBERED = 4096
"""Purges that are remembered after their deletions are done. What is in memory from before them is not used."""

MAX_CONDITIONS = 256
"""Purges by conditions that are remembered, and that may be under way: each is compared with what is read."""


class KnownPurges:
    """The purges of one store that this process knows. This class alone fits a store that has none."""

    def __init__(self) -> None:
        self._number = 0
        self._latest: dict[str, int] = {}
        """Numbers by the names of scopes, of purges of both kinds."""
        self._hard: dict[str, int] = {}
        self._soft: dict[str, int] = {}
        self._latest_tag = 0
        self._conditions: tuple[tuple[int, Where], ...] = ()
        """The latest purges by conditions, oldest first. Replaced as a whole: readers hold no lock."""
        self._pending: tuple[tuple[int, Where], ...] = ()
        """Those of them that are not carried out yet: only with these, what is read from the store is compared."""
        self._forgotten = 0
        """Number of the last purge by conditions that is not remembered."""

    def number(self) -> int | None:
        """Return the number of the last purge, or None if finding out needs waiting. Read it before the data."""
        return self._number

    # ---- what was read from a store

    def covers(self, key: str, number: int) -> bool:
        """Return whether all that is stored under a key was purged after that number."""
        if number >= self._number:  # most rows are newer than all purges
            return False
        if _names_a_purge(all_names_of(key), self._hard, number):
            return True
        return any(
            each > number and not scope.soft and not scope.needs_entry and scope.may_cover(key)
            for each, scope in self._pending
        )

    def may_concern_row(self, key: str, number: int) -> bool:
        """Return whether something that was stored under a key at that number may be covered by a later purge."""
        if number >= self._number:
            return False
        if _names_a_purge(all_names_of(key), self._latest, number):
            return True
        return self._latest_tag > number or (bool(self._pending) and self._pending[-1][0] > number)

    def judged_row(self, entry: StoredResponse, number: int) -> StoredResponse | None:
        """Do what `judged` does for a response in a row of that number, which purges have left that are carried out."""
        return self._judged(entry, number, self._pending)

    def judged(self, entry: StoredResponse, number: int) -> StoredResponse | None:
        """Return a response that was asked for at that number as the purges after it leave it.

        It is unchanged, marked, or None if it is purged or that is not remembered.
        """
        if self.has_forgotten(number):
            return None
        return self._judged(entry, number, self._conditions)

    def admitted(self, entry: StoredResponse) -> StoredResponse:
        """Return a new response as the purges leave it that came after it was asked for.

        Raises:
            Overtaken: it is purged.
        """
        if entry.last_purge is None:
            return entry
        left = self.judged(entry, entry.last_purge)
        if left is None:
            raise Overtaken(f"{entry.key.partition('?')[0]} was purged while it was being fetched")
        return left

    def _judged(
        self, entry: StoredResponse, number: int, conditions: Iterable[tuple[int, Where]]
    ) -> StoredResponse | None:
        if number >= self._number:
            return entry
        names = [*all_names_of(entry.key), *_names_of_tags(entry.tags)]
        newer = [(each, scope) for each, scope in conditions if each > number and scope.covers(entry)]
        if _names_a_purge(names, self._hard, number) or any(not scope.soft for _, scope in newer):
            return None
        softly = max(max(self._soft.get(name, 0) for name in names), *(each for each, _ in newer), 0)
        if softly <= number:
            return entry
        # Revisions of several soft purges differ, so that a validation from before one cannot remove the mark of it
        return replace(entry, soft_purged=True, revision=entry.revision + softly)

    # ---- what is in memory

    def is_outdated(self, names: Iterable[str], number: int, tags: str = "") -> bool:
        """Return whether what this process has held in memory since that number must be looked up again.

        Args:
            names: The names of its key.
            number: Number of the last purge before it was read.
            tags: Its cache tags, a line for each.
        """
        if self.has_forgotten(number):
            return True
        if _names_a_purge(names, self._latest, number):
            return True
        if tags and self._latest_tag > number and _names_a_purge(_names_of_tags(tags), self._latest, number):
            return True
        return bool(self._conditions) and self._conditions[-1][0] > number

    def has_forgotten(self, number: int) -> bool:
        """Return whether not all purges after that number are remembered."""
        return number < self._number - REMEMBERED or number < self._forgotten

    def may_concern(self, key: str, number: int) -> bool:
        """Return whether a response that was asked for before the purges after that number may be covered by one."""
        if number >= self._number:
            return False
        return self.is_outdated(all_names_of(key), number) or self._latest_tag > number

    @property
    def pending_conditions(self) -> frozenset[int]:
        """Numbers of the purges by conditions with which everything that is read is compared."""
        return frozenset([number for number, _ in self._pending])

    def learn(self, purges: Iterable[tuple[str, int]], number: int, carried_out: Container[int] = ()) -> None:
        """Add purges that are not known yet. Of several threads, one at a time may call this.

        Args:
            purges: The text of the scope of each, and its number.
            number: The number of the last one.
            carried_out: Numbers of purges, of these or known ones, that have left their marks in all that is stored.
        """
        known, pending = self._number, [*self._pending]
        for text, each in sorted(purges, key=lambda purge: purge[1]):
            if each <= known:
                continue
            scope = scope_of(text)
            if isinstance(scope, Where):
                self._add_conditions(each, scope)
                pending.append((each, scope))
                continue
            kind = self._soft if scope.soft else self._hard
            for table in (kind, self._latest):
                table[scope.name] = max(each, table.get(scope.name, 0))
            if scope.tag is not None:
                self._latest_tag = max(each, self._latest_tag)
        self._pending = tuple([(each, scope) for each, scope in pending if each not in carried_out])
        self._number = max(number, self._number)

    def _add_conditions(self, number: int, scope: Where) -> None:
        known = (*self._conditions, (number, scope))
        if len(known) > MAX_CONDITIONS:
            self._forgotten = known[0][0]
        self._conditions = known[-MAX_CONDITIONS:]

    @property
    def tables(self) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """The numbers by name: of hard purges, of soft ones, and of both."""
        return self._hard, self._soft, self._latest

    @property
    def knows_too_many(self) -> bool:
        """True if so many names are known that those which do not matter any more should be forgotten."""
        return len(self._latest) > 2 * REMEMBERED

    def forget_old(self, number: int, pending: Iterable[tuple[str, int]] = ()) -> None:
        """Forget the names of purges that are carried out, apart from the last ones.

        Args:
            number: Number of the last purge when `pending` was read. No later purge is forgotten.
            pending: The text of the scope of each purge that is not carried out, and its number.
        """
        kept = KnownPurges()
        kept.learn(pending, 0)
        for new, old in zip(kept.tables, self.tables, strict=True):
            new.update({name: each for name, each in old.items() if each > number - REMEMBERED})
        # one after the other, while threads read them: each of the new tables has all that matters
        self._hard, self._soft, self._latest = kept.tables


def _names_a_purge(names: Iterable[str], table: Mapping[str, int], number: int) -> bool:
    """Return whether a table of purges has one after that number for any of these names."""
    return any(table.get(name, 0) > number for name in names)


def _names_of_tags(tags: str) -> Iterable[str]:
    """Return the names of cache tags, which are given a line for each."""
    return map(tag_name, tags.split("\n")) if tags else ()
