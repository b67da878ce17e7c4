"""Supersession: the stored responses that a new one with the same primary key replaces."""

from __future__ import annotations

from collections.abc import Iterable

from cache.rules.coded_forms import forms_of
from cache.rules.key import spelling
from cache.rules.mementos import captures_to_keep
from cache.rules.stored_response import StoredResponse


def supersedes(new: StoredResponse, old: StoredResponse) -> bool:
    """Return whether a new stored response takes the place of an old one under the same key.

    A complete one does if both answer the same requests: same spelling of the target, same method, same Vary values.
    Two concurrent fetches store such a pair. A partial one (RFC 9111 §3.3) only takes the place of partial ones within
    its range.
    """
    same_target = spelling(new.target, new.key) == spelling(old.target, old.key)
    if not same_target or (new.method, new.vary) != (old.method, old.vary):
        return False
    if new.complete_length is None:
        return True
    within = new.first <= old.first and old.first + old.length <= new.first + new.length
    return old.complete_length is not None and within


def superseded(new: StoredResponse, stored: Iterable[StoredResponse], captures: int) -> set[str]:
    """Return the ids of the stored responses that a new one supersedes.

    Their coded forms are among them. Those that are kept as captures of earlier states are left out; `captures` is how
    many states are kept in all.
    """
    stored = tuple(stored)
    old = [each for each in stored if supersedes(new, each)]
    ended = {each.id for each in old} - captures_to_keep(new, old, captures)
    return ended | forms_of(ended, stored) if ended else ended
