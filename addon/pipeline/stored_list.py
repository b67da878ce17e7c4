"""Lists of stored responses: which are wanted, and in which order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import islice
from urllib.parse import urlsplit

from addon.pipeline.stored_description import freshness_state
from cache.policy.cache_policy import CachePolicy
from cache.rules.coded_forms import is_form
from cache.rules.freshness import current_age
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.store import TieredStore


class Order(StrEnum):
    """The orders of the list."""

    URL = "url"
    SIZE = "size"
    AGE = "age"
    USED = "used"


class State(StrEnum):
    """The states of a stored response."""

    FRESH = "fresh"
    STALE = "stale"
    INVALID = "invalid"
    VARY_STAR = "vary-star"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The responses that are wanted."""

    pattern: str | None = None
    """A part of the URL, or a pattern with * and ? for the whole URL."""
    host: str | None = None
    """A host, or a pattern with * and ?."""
    state: State | None = None
    tag: str | None = None
    never_used: bool = False
    """Only those that have answered no request since they were stored."""

    @property
    def filters(self) -> bool:
        """True if anything but the URL decides."""
        return bool(self.host or self.state or self.tag or self.never_used)

    def has(self, entry: StoredResponse, store: ResponseStore, policy: CachePolicy, now: float) -> bool:
        """Return whether a response is wanted. `now` is the time in seconds since the epoch."""
        return (
            not is_form(entry)
            and _matches(entry.key, self.pattern)
            and (self.host is None or fnmatchcase(urlsplit(entry.key).hostname or "", self.host.lower()))
            and (self.tag is None or self.tag in entry.tags.split("\n"))
            and (self.state is None or freshness_state(entry, policy, now) == self.state)
            and not (self.never_used and last_use(store, entry))
        )


def _matches(uri: str, pattern: str | None) -> bool:
    return pattern is None or pattern.lower() in uri.lower() or fnmatchcase(uri.lower(), pattern.lower())


def last_use(store: ResponseStore, entry: StoredResponse) -> float | None:
    """Return when a response last answered a request, in seconds since the epoch, or None if it never did."""
    return store.last_use_of(entry) if isinstance(store, DiskStore | TieredStore) else None


def ranking(
    order: Order, store: ResponseStore, policy: CachePolicy, now: float
) -> Callable[[StoredResponse], float] | None:
    """Return the number by which responses are sorted, the lowest first; None for the order of the store."""
    match order:
        case Order.URL:
            return None
        case Order.SIZE:
            return lambda entry: -entry.length
        case Order.AGE:
            return lambda entry: -current_age(entry, policy, now)
        case Order.USED:
            # a response without a use is deleted as if it had been used when it was stored
            return lambda entry: last_use(store, entry) or entry.stored_at


def ordered(
    found: Iterable[StoredResponse], rank: Callable[[StoredResponse], float] | None, limit: int | None
) -> Iterator[StoredResponse]:
    """Return responses in the order of `rank`, at most `limit`."""
    if rank is None:
        return islice(found, limit)
    return iter(sorted(found, key=rank) if limit is None else heapq.nsmallest(limit, found, rank))
