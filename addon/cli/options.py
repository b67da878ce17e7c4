"""Options that several commands take, and the settings they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from addon.configuration import Configuration, configure

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file.", show_default=False)
]
StoreOption = Annotated[
    str | None, typer.Option("--store", metavar="DIR", help="Directory of the store.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def configuration(
    config: Path | None,
    store: str | None = None,
    listen: str | None = None,
    answer: str | None = None,
    edge: str | None = None,
) -> Configuration:
    """Return the settings that hold for a command. Raises ConfigError."""
    overrides: dict[str, object] = {}
    if listen is not None:
        overrides["listen"] = listen
    if store is not None:
        overrides["store"] = {"path": store}
    if answer is not None:
        overrides["answer"] = {"status": answer}
    if edge is not None:
        overrides["edge"] = edge
    return configure(config, overrides)
