"""`secondhand show`: a stored response as the origin sent it, as a client gets it, and the difference."""

from __future__ import annotations

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
from addon.cli.store import key_of, open_store, place_of
from addon.cli.terminal import fail, print_json, print_line, print_table
from addon.config.units import size_text
from addon.pipeline.explanation import stored_for
from addon.pipeline.stored_description import HEADINGS, compared_rows, selecting_fields, summary
from addon.pipeline.stored_json import capture, shown
from addon.runtime.exit_codes import NOT_FOUND
from cache.http.fields import imf_date
from cache.rules.mementos import current
from cache.rules.stored_response import StoredResponse


def show(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL, as clients request it.")],
    everything: Annotated[
        bool, typer.Option("--all", help="List all stored captures (versions), also past ones.")
    ] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show stored responses, as received and as clients get them.

    This proxy adds the lines marked +, removes those marked - and changes those marked ~.
    """
    settings = load_shared_or_private(config, store, private=private).settings
    policy, now = policy_at_present(settings)
    with open_store(settings) as opened:
        captures = stored_for(opened, key_of(url), policy)
    if not captures:
        fail(f"nothing is stored for {url} in {place_of(settings)}", NOT_FOUND)
    variants = current(captures)
    if everything:
        _list_captures(captures, variants, as_json=as_json)
        return
    if as_json:
        print_json([shown(entry, policy, now) for entry in variants])
        return
    for number, entry in enumerate(variants, start=1):
        if number > 1:
            print_line("")
        prefix = f"variant {number} of {len(variants)}: " if len(variants) > 1 else ""
        for line in summary(entry, policy, now, prefix):
            print_line(line)
        print_table(HEADINGS, compared_rows(entry, policy, now), ["bold", "cyan"])


def _list_captures(
    captures: tuple[StoredResponse, ...], variants: tuple[StoredResponse, ...], *, as_json: bool
) -> None:
    """Print all captures, the latest first; `variants` are the current ones."""
    listed = sorted(captures, key=lambda entry: entry.stored_at, reverse=True)
    if as_json:
        print_json([{**capture(entry), "current": entry in variants} for entry in listed])
        return
    rows = [
        (
            imf_date(entry.stored_at),
            "current" if entry in variants else "past",
            entry.method,
            str(entry.head.status),
            size_text(entry.length),
            entry.sha256[:16],
            ", ".join(selecting_fields(entry)),
        )
        for entry in listed
    ]
    print_table(["CAPTURED", "STATE", "METHOD", "STATUS", ">SIZE", "SHA-256", "FOR REQUESTS"], rows)
