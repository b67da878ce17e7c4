"""`secondhand top`: a live view of running proxies; without a terminal, one look at them."""

from __future__ import annotations

import os
import sys
import time
from typing import Annotated

import typer

from addon.cli.find_proxy import running_or_fail
from addon.cli.options import ConfigOption, JsonOption, StoreOption
from addon.cli.terminal import print_json, print_line, print_note, print_table
from addon.runtime.control_client import ControlClient

INTERVAL = 2.0
"""Seconds between two looks."""

MAX_HOSTS, MAX_EXCHANGES = 10, 20
"""Rows that a single look prints."""

OnceOption = Annotated[bool, typer.Option("--once", help="Print one look, and end.")]


def top(
    once: OnceOption = False, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Show live what running proxies do: requests, hit rate, outcomes, times, hosts, exchanges.

    Keys: up and down select an exchange; w says why it was answered so, p deletes its copies; o switches offline and
    online; / lists only what has a text; q ends. Without a terminal, or with --once, one look is printed.
    """
    _, clients = running_or_fail(config, store)
    if once or as_json or not is_live():
        _print_once(clients, as_json=as_json)
    else:
        _show(clients)


def is_live() -> bool:
    """Return whether input and output are a terminal that can be drawn on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")


def _print_once(clients: list[ControlClient], *, as_json: bool) -> None:
    from addon.cli.live import screen  # slow to import, as all that is imported by functions here
    from addon.cli.live.snapshot import Watch

    watch = Watch(clients)
    watch.look()
    time.sleep(INTERVAL)  # a rate is that of these seconds
    change = watch.look()
    exchanges = list(watch.exchanges)[:MAX_EXCHANGES]
    if as_json:
        rates = {"requests_per_second": change.responses / change.seconds, "counts": dict(change.later.counts)}
        print_json({**rates, "hosts": change.later.hosts, "exchanges": exchanges, "mode": change.later.mode})
        return
    print_line(screen.headline(change))
    for columns, rows in (
        (screen.OUTCOME_COLUMNS, screen.outcome_rows(change)),
        (screen.LATENCY_COLUMNS, screen.latency_rows(change)),
        (screen.HOST_COLUMNS, screen.host_rows(change)[:MAX_HOSTS]),
        (screen.EXCHANGE_COLUMNS, list(screen.exchange_rows(exchanges))),
    ):
        print_line("")
        print_table(columns, rows)
    if not watch.lists_exchanges:
        print_note(screen.NO_EXCHANGES)


def _show(clients: list[ControlClient]) -> None:
    from addon.cli.live.loop import show_live
    from addon.cli.live.screen import screen
    from addon.cli.live.session import Session
    from addon.cli.live.snapshot import Watch

    watch = Watch(clients)
    session = Session(watch)

    def press(key: str) -> bool:
        session.press(key)
        return session.has_ended

    show_live(watch, INTERVAL, lambda change, height: screen(change, session, height), press)
