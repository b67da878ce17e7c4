"""`secondhand serve`: run the proxy."""

from __future__ import annotations

from typing import Annotated

import typer

from addon.cli.options import ConfigOption, StoreOption, load_configuration
from addon.cli.terminal import fail
from addon.config.conflicts import refuse_conflicts
from addon.config.load import Configuration
from addon.config.worker_conflicts import refuse_workers_with_mitmproxy
from addon.runtime.exit_codes import FAILED
from addon.runtime.signals import operator_signals
from addon.serve.inherited_sockets import InheritedSockets, UnusableSockets, inherited_sockets


def serve(
    config: ConfigOption = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The address that clients connect to.", show_default=False)
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto", help="Processes that serve clients; auto: one for each core.", show_default=False
        ),
    ] = None,
    store: StoreOption = None,
    answer: Annotated[
        str | None,
        typer.Option(
            metavar="always|auto|origin",
            help="Send stored 200 responses as 203 always, as 203 except to clients that break on it, or as 200.",
            show_default=False,
        ),
    ] = None,
    edge: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Be an edge cache (reverse proxy) for this origin.", show_default=False),
    ] = None,
    record: Annotated[
        str | None, typer.Option(metavar="NAME", help="Store every response in a recording.", show_default=False)
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="NAME", help="Send responses from a recording only.", show_default=False)
    ] = None,
    script: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A mitmproxy addon to load; implies --no-door.", show_default=False),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODE",
            help="A mode of mitmproxy, like socks5 or transparent; implies --no-door. More than one is possible.",
            show_default=False,
        ),
    ] = None,
    door: Annotated[
        bool, typer.Option("--door/--no-door", help="Serve hits in the fast front end, or all requests in mitmproxy.")
    ] = True,
) -> None:
    """Run the proxy until it is interrupted."""
    through_mitmproxy = bool(script or mode) or not door
    try:
        inherited = InheritedSockets() if through_mitmproxy else inherited_sockets()
    except UnusableSockets as error:
        fail(str(error), FAILED)

    def load() -> Configuration:
        edge_by_mode = None
        if through_mitmproxy:
            from addon.frontend.mitm.serve.served_modes import edge_of, refuse_modes  # slow to import

            edge_by_mode = edge_of(mode or ())
        configuration = load_configuration(
            config,
            store,
            listen=inherited.listen or listen,
            workers=workers,
            answer=answer,
            edge=edge or edge_by_mode,
            record=record,
            replay=replay,
        )
        refuse_conflicts(configuration)
        if through_mitmproxy:
            refuse_workers_with_mitmproxy(configuration)
            refuse_modes(mode or (), configuration.settings)
        return configuration

    operator_signals.catch()
    settings = load().settings
    from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
    from addon.serve.start import serve as run  # slow to import

    mitmproxy = ScriptsAndModes(script or (), mode or ()) if through_mitmproxy else None
    raise typer.Exit(run(settings, load, inherited=inherited, mitmproxy=mitmproxy))
