"""Lists of stored responses: which of those that a store finds are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from addon.pipeline.stored_description import freshness_state
from cache.http.host_filter import host_filter
from cache.policy.cache_policy import CachePolicy
from cache.rules.coded_forms import is_form
from cache.rules.freshness import current_age
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore
from cache.stores.disk.store import DiskStore
from cache.stores.listing import Order, Selection
from cache.stores.tiered.store import TieredStore


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
    """A host, or a pattern with * and ?; with a port, only that port."""
    state: State | None = None
    tag: str | None = None
    never_used: bool = False
    """Only those that have answered no request since they were stored."""

    def selection(self, order: Order, after: str = "", compared: int | None = None) -> Selection:
        """Return what a store can find by itself. The arguments are as in the attributes of the result."""
        return Selection(
            order,
            after,
            pattern=self.pattern,
            host=self.host,
            tag=self.tag,
            never_used=self.never_used,
            compared=compared,
        )

    @property
    def filters(self) -> bool:
        """True if anything but the URL decides."""
        return bool(self.host or self.state or self.tag or self.never_used)

    def has(self, entry: StoredResponse, store: ResponseStore, policy: CachePolicy, now: float) -> bool:
        """Return whether a response is wanted. `now` is the time in seconds since the epoch."""
        return (
            not is_form(entry)
            and _matches(entry.key, self.pattern)
            and (self.host is None or host_filter(self.host).fits_url(entry.key))
            and (self.tag is None or self.tag in entry.tags.split("\n"))
            and (self.state is None or freshness_state(entry, policy, now) == self.state)
            and not (self.never_used and last_use(store, entry))
        )


def _matches(uri: str, pattern: str | None) -> bool:
    return pattern is None or pattern.lower() in uri.lower() or fnmatchcase(uri.lower(), pattern.lower())


def last_use(store: ResponseStore, entry: StoredResponse) -> float | None:
    """Return when a response last answered a request, in seconds since the epoch, or None if it never did."""
    return store.last_use_of(entry) if isinstance(store, DiskStore | TieredStore) else None


def in_order(
    entries: Iterable[StoredResponse], order: Order, policy: CachePolicy, now: float
) -> Iterable[StoredResponse]:
    """Return responses that a store has listed in an order. Settings change ages, which the store does not know."""
    if order is Order.AGE:
        return sorted(entries, key=lambda entry: -current_age(entry, policy, now))
    return entries
