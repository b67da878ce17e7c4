"""`secondhand version`, and the option `--version`: the versions in use."""

from __future__ import annotations

import platform
from typing import Annotated

import typer

from addon.cli.options import JsonOption
from addon.cli.terminal import print_json
from addon.runtime.version import version_of


def version(
    constraints: Annotated[
        bool, typer.Option("--constraints", help="Print the path of the list of versions that were tested.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the versions of secondhand, mitmproxy and Python."""
    if constraints:
        from addon.cli.shipped_files import shipped_file  # `secondhand --help` does not need it

        typer.echo(shipped_file("constraints.txt"))
        return
    versions = {
        "secondhand": version_of("secondhand"),
        "mitmproxy": version_of("mitmproxy"),
        "python": platform.python_version(),
    }
    if as_json:
        print_json(versions)
    else:
        for name, number in versions.items():
            typer.echo(f"{name} {number}")


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def version_option(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the versions and exit.")
    ] = False,
) -> None:
    """Accept `--version` in place of a command."""
