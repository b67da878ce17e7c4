"""`secondhand ls`: list stored responses."""

from __future__ import annotations

from itertools import chain, islice
from typing import Annotated

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
from addon.pipeline.stored_json import listed
from addon.pipeline.stored_list import State, Wanted, in_order, last_use
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age
from cache.rules.stored_response import StoredResponse
from cache.stores.listing import Order

COLUMNS = ("STATUS", "METHOD", ">AGE", ">SIZE", "STATE", "URL")


def list_copies(
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="PATTERN", help="A part of the URL, or a pattern with * and ? for the whole URL."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Only of this host or HOST:PORT; a pattern is possible.")
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
        wanted = Wanted(pattern, host, state, tag, never_used)
        places = opened.listing(wanted.selection(sort)).found
        found = (each for place in places for each in place.entries if wanted.has(each, opened, policy, now))
        listing = iter(in_order(islice(found, limit), sort, policy, now))
        if as_json:
            print_json_list(listed(entry, last_use(opened, entry), policy, now) for entry in listing)
        elif first := next(listing, None):
            rows = (_row(entry, policy, now) for entry in chain([first], listing))
            print_table(COLUMNS, rows, copyable=True)
        else:
            asked = (f" for {pattern}" if pattern else "") + (" that matches the options" if wanted.filters else "")
            print_note(f"nothing is stored{asked} in {place_of(settings)}")


def _row(entry: StoredResponse, policy: CachePolicy, now: float) -> tuple[str, ...]:
    return (
        str(entry.head.status),
        entry.method,
        time_text(current_age(entry, policy, now)),
        size_text(entry.length),
        freshness_state(entry, policy, now),
        entry.key,
    )
