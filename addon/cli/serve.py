"""`secondhand serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from addon.cli.options import ConfigOption, StoreOption, configuration
from addon.config.exposure import refuse_exposure


def serve(
    config: ConfigOption = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where clients reach the proxy.", show_default=False)
    ] = None,
    store: StoreOption = None,
    answer: Annotated[
        str | None,
        typer.Option(metavar="always|auto|origin", help="What a copy of a 200 goes out as.", show_default=False),
    ] = None,
    edge: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Be an edge cache before this one origin.", show_default=False),
    ] = None,
    record: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep every answer in a recording.", show_default=False)
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="NAME", help="Answer from a recording alone.", show_default=False)
    ] = None,
    script: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A mitmproxy addon to load; implies --no-door.", show_default=False),
    ] = None,
    door: Annotated[
        bool, typer.Option("--door/--no-door", help="Answer hits in the fast lane, or all in mitmproxy.")
    ] = True,
    passing: Annotated[bool, typer.Option("--for-one-command", hidden=True)] = False,
) -> None:
    """Run the proxy until it is interrupted."""
    found = configuration(config, store, listen, answer, edge, record, replay)
    refuse_exposure(found)
    from addon.server import serve as run  # loads mitmproxy, which no other command needs

    raise typer.Exit(run(found.settings, script or (), door=door, lasting=not passing))
