"""`secondhand ls`: list stored responses."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import chain, islice
from typing import Annotated
from urllib.parse import urlsplit

import typer

from addon.cli.options import (
    ConfigOption,
    JsonOption,
    PrivateOption,
    StoreOption,
    load_shared_or_private,
    policy_at_present,
)
from addon.cli.store import open_store, place_of
from addon.cli.terminal import print_json_list, print_note, print_table
from addon.config.units import size_text, time_text
from addon.pipeline.stored_description import freshness_state
from cache.policy.cache_policy import CachePolicy
from cache.rules.coded_forms import is_form
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore
from cache.stores.disk.store import DiskStore

COLUMNS = ("STATUS", "METHOD", ">AGE", ">SIZE", "STATE", "URL")


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


def list_copies(
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="PATTERN", help="A part of the URL, or a pattern with * and ? for the whole URL."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Only of this host; a pattern with * and ? is possible.")
    ] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.", show_default=False)] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="TAG", help="Only those with this cache tag.", show_default=False)
    ] = None,
    never_used: Annotated[
        bool, typer.Option("--never-used", help="Only those that have answered no request since they were stored.")
    ] = False,
    sort: Annotated[
        Order,
        typer.Option(
            help="By URL, the largest first, the oldest first, or those first that were not used for longest."
        ),
    ] = Order.URL,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many.", show_default=False)] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the stored responses, by URL.

    Each is one line, and its URL is never shortened.
    """
    settings = load_shared_or_private(config, store, private=private).settings
    policy, now = policy_at_present(settings)
    with open_store(settings) as opened:
        found = (
            entry
            for entry in opened.entries()
            if not is_form(entry)
            and _matches(entry.key, pattern)
            and (host is None or fnmatchcase((urlsplit(entry.key).hostname or ""), host.lower()))
            and (tag is None or tag in entry.tags.split("\n"))
            and (state is None or freshness_state(entry, policy, now) == state)
            and not (never_used and last_use(opened, entry))
        )
        listed = _ordered(found, _ranking(sort, opened, policy, now), limit)
        if as_json:
            print_json_list(_described(entry, last_use(opened, entry), policy, now) for entry in listed)
        elif first := next(listed, None):
            rows = (_row(entry, policy, now) for entry in chain([first], listed))
            print_table(COLUMNS, rows, copyable=True)
        else:
            filtered = bool(host or state or tag or never_used)
            wanted = (f" for {pattern}" if pattern else "") + (" that matches the options" if filtered else "")
            print_note(f"nothing is stored{wanted} in {place_of(settings)}")


def last_use(store: ResponseStore, entry: StoredResponse) -> float | None:
    """Return when a response last answered a request, in seconds since the epoch, or None if it never did."""
    return store.last_use_of(entry) if isinstance(store, DiskStore) else None


def _ranking(
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
            return lambda entry: last_use(store, entry) or 0.0


def _ordered(
    found: Iterable[StoredResponse], ranking: Callable[[StoredResponse], float] | None, limit: int | None
) -> Iterator[StoredResponse]:
    if ranking is None:
        return islice(found, limit)
    return iter(sorted(found, key=ranking) if limit is None else heapq.nsmallest(limit, found, ranking))


def _row(entry: StoredResponse, policy: CachePolicy, now: float) -> tuple[str, ...]:
    return (
        str(entry.head.status),
        entry.method,
        time_text(current_age(entry, policy, now)),
        size_text(entry.length),
        freshness_state(entry, policy, now),
        entry.key,
    )


def _matches(uri: str, pattern: str | None) -> bool:
    return pattern is None or pattern.lower() in uri.lower() or fnmatchcase(uri.lower(), pattern.lower())


def _described(entry: StoredResponse, used: float | None, policy: CachePolicy, now: float) -> dict[str, object]:
    return {
        "url": entry.key,
        "method": entry.method,
        "status": entry.head.status,
        "age": int(current_age(entry, policy, now)),
        "lifetime": freshness_lifetime(entry, policy).seconds,
        "state": freshness_state(entry, policy, now),
        "size": entry.length,
        "stored_at": entry.stored_at,
        "last_used": used,
        "sha256": entry.sha256,
    }
