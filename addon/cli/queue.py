"""`secondhand queue`: requests that found nothing in the store while offline, and how to fetch them later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from addon.cli.options import (
    ConfigOption,
    JsonOption,
    PrivateOption,
    ProfileOption,
    StoreOption,
    load_shared_or_private,
)
from addon.cli.terminal import print_json, print_line, print_note, print_table
from addon.config.settings import Settings
from addon.offline.miss_queue import MissQueue, is_done
from addon.offline.wanted import Wanted
from addon.runtime.exit_codes import FAILED
from cache.policy.operator_rules import Mode

if TYPE_CHECKING:
    from addon.offline.prefetch import Fetched

JOBS = 8
"""The number of simultaneous fetches."""

app = typer.Typer(help="List or fetch what was missing while offline.", no_args_is_help=True)


@app.command("list", epilog="Example: secondhand queue list --json")
def list_queue(
    config: ConfigOption = None, store: StoreOption = None, private: PrivateOption = False, as_json: JsonOption = False
) -> None:
    """List the missing URLs, oldest first."""
    wanted = MissQueue(load_shared_or_private(config, store, private=private).settings.store.directory).all()
    if as_json:
        print_json([each.uri for each in wanted])
        return
    for each in wanted:
        print_line(each.uri)
    if not wanted:
        print_note("the queue is empty")


@app.command(epilog="Example: secondhand queue run")
def run(
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the missing URLs into the store.

    A URL leaves the queue when it is stored, or when its origin says that there is no such thing. Fails if a response
    is not stored.
    """
    settings = load_shared_or_private(config, store, private=private, profile=profile).settings
    settings = settings.model_copy(update={"cache": settings.cache.model_copy(update={"mode": Mode.AUTO})})
    queue = MissQueue(settings.store.directory)
    results = asyncio.run(_fetch(settings, queue.all()))
    done = {wanted for wanted, fetched in results if is_done(fetched.status, stored=not fetched.problem)}
    queue.remove(done)
    if as_json:
        print_json([_described(wanted, fetched, queued=wanted not in done) for wanted, fetched in results])
    elif results:
        rows = [(fetched.problem or "fetched", wanted.uri) for wanted, fetched in results]
        print_table(["RESULT", "URL"], rows, copyable=True)
        _print_what_stays(len(results) - len(done), [fetched for _, fetched in results])
    else:
        print_note("the queue is empty")
    if any(fetched.problem for _, fetched in results):
        raise typer.Exit(FAILED)


def _described(wanted: Wanted, fetched: Fetched, *, queued: bool) -> dict[str, object]:
    return {
        "url": wanted.uri,
        "problem": fetched.problem or None,
        "remedy": fetched.remedy or None,
        "queued": queued,
    }


def _print_what_stays(number: int, results: list[Fetched]) -> None:
    """Say that this number of URLs stays in the queue, and what would let their responses be stored."""
    for problem, remedy in dict.fromkeys((fetched.problem, fetched.remedy) for fetched in results if fetched.remedy):
        print_note(f"{problem}; this would change it: {remedy}")
    if number:
        are = "1 URL stays" if number == 1 else f"{number} URLs stay"
        print_note(f"{are} in the queue: try again later, or empty it with secondhand queue clear")


@app.command(epilog="Example: secondhand queue clear")
def clear(config: ConfigOption = None, store: StoreOption = None, private: PrivateOption = False) -> None:
    """Empty the queue."""
    queue = MissQueue(load_shared_or_private(config, store, private=private).settings.store.directory)
    queue.remove(queue.all())


async def _fetch(settings: Settings, wanted: list[Wanted]) -> list[tuple[Wanted, Fetched]]:
    from addon.warm.transport import WarmFetcher, transport_for  # slow to import, and few commands need it

    async with transport_for(settings) as transport:
        fetcher = WarmFetcher(transport, JOBS)
        results = await asyncio.gather(*map(fetcher.fetch, wanted))
    return list(zip(wanted, results, strict=True))
