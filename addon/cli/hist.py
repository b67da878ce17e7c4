"""`secondhand hist`: how long hits and other responses take, as a live picture or as a table."""

from __future__ import annotations

from addon.cli.find_proxy import running_or_fail
from addon.cli.options import ConfigOption, JsonOption, StoreOption
from addon.cli.terminal import print_json, print_table
from addon.cli.top import INTERVAL, OnceOption, is_live
from addon.runtime.control_client import ControlClient


def hist(
    once: OnceOption = False, config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Show live how long hits and other responses of running proxies take.

    Without a terminal, or with --once, the times since the start are printed.
    """
    _, clients = running_or_fail(config, store)
    if once or as_json or not is_live():
        _print_once(clients, as_json=as_json)
    else:
        _show(clients)


def _print_once(clients: list[ControlClient], *, as_json: bool) -> None:
    from addon.cli.live.latency import bucket_names  # slow to import, as all that is imported by functions here
    from addon.cli.live.snapshot import Watch
    from addon.runtime.metrics.definitions import TIMED_OUTCOMES

    now = Watch(clients).look().later
    names = bucket_names()
    counts = {outcome: now.durations.get(outcome) or [0.0] * len(names) for outcome in TIMED_OUTCOMES}
    if as_json:
        print_json({outcome: dict(zip(names, map(int, each), strict=True)) for outcome, each in counts.items()})
        return
    rows = [
        (name, *(f"{counts[outcome][number]:,.0f}" for outcome in TIMED_OUTCOMES)) for number, name in enumerate(names)
    ]
    print_table(["WITHIN", *(f">{outcome.upper()}" for outcome in TIMED_OUTCOMES)], rows)


def _show(clients: list[ControlClient]) -> None:
    from addon.cli.live.bars import bars
    from addon.cli.live.loop import show_live
    from addon.cli.live.snapshot import Watch

    show_live(Watch(clients), INTERVAL, bars, lambda key: key in ("q", "Q"))
