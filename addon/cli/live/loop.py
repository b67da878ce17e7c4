"""The loop of a live view: look, draw, wait for keys."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.live import Live

from addon.cli.live.keys import next_keys, single_keys
from addon.cli.live.snapshot import Change, Watch


def show_live(
    watch: Watch, interval: float, draw: Callable[[Change, int], RenderableType], press: Callable[[str], bool]
) -> None:
    """Show a view until the user ends it. The terminal is then as before.

    Args:
        watch: Looks at the proxies.
        interval: Seconds between two looks.
        draw: Returns what is shown of the numbers in so many lines.
        press: Does what a key means, and returns whether it ends the view.

    Raises:
        ControlError: no proxy answers any more.
    """
    console, change = Console(), watch.look()
    due = time.monotonic() + interval
    with single_keys(), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(draw(change, console.size.height), refresh=True)
            if any(press(key) for key in next_keys(max(0.0, due - time.monotonic()))):
                return
            if time.monotonic() >= due:
                change, due = watch.look(), time.monotonic() + interval
