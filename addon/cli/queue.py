"""`secondhand queue`: what was missing offline, and fetching it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from addon.cli.options import ConfigOption, JsonOption, PrivateOption, ProfileOption, StoreOption, configuration_of
from addon.cli.terminal import FAILED, note, say, say_json, say_table
from addon.config.settings import Settings
from addon.offline.miss_queue import MissQueue, is_answered
from addon.offline.wanted import Wanted
from cache.policy.rules import Mode

if TYPE_CHECKING:
    from addon.offline.prefetch import Fetched

JOBS = 8
"""Fetches at a time."""

app = typer.Typer(help="What was asked for and missing offline.", no_args_is_help=True)


@app.command("list", epilog="Example: secondhand queue list --json")
def list_queue(
    config: ConfigOption = None, store: StoreOption = None, private: PrivateOption = False, as_json: JsonOption = False
) -> None:
    """List the URLs, oldest first."""
    wanted = MissQueue(configuration_of(config, store, private=private).settings.store.directory).all()
    if as_json:
        say_json([each.uri for each in wanted])
        return
    for each in wanted:
        say(each.uri)
    if not wanted:
        note("nothing is in the queue")


@app.command(epilog="Example: secondhand queue run")
def run(
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch them into the store; what an origin has answered leaves the queue. Fails if anything is not kept."""
    settings = configuration_of(config, store, private=private, profile=profile).settings
    settings = settings.model_copy(update={"cache": settings.cache.model_copy(update={"mode": Mode.AUTO})})
    queue = MissQueue(settings.store.directory)
    fetched = asyncio.run(_fetched(settings, queue.all()))
    queue.remove(wanted for wanted, outcome in fetched if is_answered(outcome.status))
    if as_json:
        say_json([{"url": wanted.uri, "problem": outcome.problem or None} for wanted, outcome in fetched])
    elif fetched:
        say_table(["", "URL"], [(outcome.problem or "fetched", wanted.uri) for wanted, outcome in fetched])
    else:
        note("nothing is in the queue")
    if any(outcome.problem for _, outcome in fetched):
        raise typer.Exit(FAILED)


@app.command(epilog="Example: secondhand queue clear")
def clear(config: ConfigOption = None, store: StoreOption = None, private: PrivateOption = False) -> None:
    """Forget them."""
    queue = MissQueue(configuration_of(config, store, private=private).settings.store.directory)
    queue.remove(queue.all())


async def _fetched(settings: Settings, wanted: list[Wanted]) -> list[tuple[Wanted, Fetched]]:
    from addon.warm.transport import Fetching, transport_for  # loads what only those need who ask origins

    async with transport_for(settings) as way:
        fetching = Fetching(way, JOBS)
        outcomes = await asyncio.gather(*map(fetching.fetch, wanted))
    return list(zip(wanted, outcomes, strict=True))
