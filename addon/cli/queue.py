"""`secondhand queue`: what was missing offline, and fetching it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, StoreOption, configuration
from addon.cli.terminal import FAILED, say, say_json, say_table
from addon.queue import MissQueue, is_answered
from addon.settings import Settings
from addon.warm.wanted import Wanted
from cache.policy import Mode

if TYPE_CHECKING:
    from addon.warm.prefetch import Fetched

JOBS = 8
"""Fetches at a time."""

ProfileOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The profile of the proxy that missed it.", show_default=False)
]

app = typer.Typer(help="What was asked for and missing offline.", no_args_is_help=True)


@app.command("list", epilog="Example: secondhand queue list --json")
def list_queue(config: ConfigOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the URLs, oldest first."""
    wanted = MissQueue(configuration(config, store).settings.store.directory).all()
    if as_json:
        say_json([each.uri for each in wanted])
        return
    for each in wanted:
        say(each.uri)


@app.command(epilog="Example: secondhand queue run")
def run(
    config: ConfigOption = None, store: StoreOption = None, profile: ProfileOption = None, as_json: JsonOption = False
) -> None:
    """Fetch them into the store; what an origin has answered leaves the queue. Fails if anything is not kept."""
    settings = configuration(config, store, profile=profile).settings
    settings = settings.model_copy(update={"cache": settings.cache.model_copy(update={"mode": Mode.AUTO})})
    queue = MissQueue(settings.store.directory)
    fetched = asyncio.run(_fetched(settings, queue.all()))
    queue.remove(wanted for wanted, outcome in fetched if is_answered(outcome.status))
    if as_json:
        say_json([{"url": wanted.uri, "problem": outcome.problem or None} for wanted, outcome in fetched])
    elif fetched:
        say_table(["", "URL"], [(outcome.problem or "fetched", wanted.uri) for wanted, outcome in fetched])
    else:
        say("nothing is in the queue")
    if any(outcome.problem for _, outcome in fetched):
        raise typer.Exit(FAILED)


@app.command(epilog="Example: secondhand queue clear")
def clear(config: ConfigOption = None, store: StoreOption = None) -> None:
    """Forget them."""
    queue = MissQueue(configuration(config, store).settings.store.directory)
    queue.remove(queue.all())


async def _fetched(settings: Settings, wanted: list[Wanted]) -> list[tuple[Wanted, Fetched]]:
    from addon.warm.way import Fetching, way_to  # loads what only those need who ask origins

    async with way_to(settings) as way:
        fetching = Fetching(way, JOBS)
        outcomes = await asyncio.gather(*map(fetching.fetch, wanted))
    return list(zip(wanted, outcomes, strict=True))
