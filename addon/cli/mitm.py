"""`secondhand addon|mitmweb|mitmdump|version`: this cache inside mitmproxy's tools, and the versions in use."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from addon.cli.options import JsonOption
from addon.cli.terminal import print_json

MAIN = Path(__file__).absolute().parents[1] / "main.py"
"""The script that `mitmdump -s` loads."""


class PassThroughCommand(TyperCommand):
    """A command that passes on all its arguments unparsed, `--help` included."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own class of context
        """Keep the arguments as they are."""
        ctx.args = args
        return []


def addon(as_json: JsonOption = False) -> None:
    """Print the path of the addon, for mitmdump -s.

    mitmdump must run in the same Python environment; `secondhand mitmdump` does that.
    """
    if as_json:
        print_json({"addon": str(MAIN)})
    else:
        typer.echo(MAIN)


def mitmweb(context: typer.Context) -> None:
    """Run mitmweb with this cache. All arguments go to mitmweb."""
    from mitmproxy.tools import main  # slow to import, and few commands need it

    main.mitmweb(["-s", str(MAIN), *context.args])


def mitmdump(context: typer.Context) -> None:
    """Run mitmdump with this cache. All arguments go to mitmdump."""
    from mitmproxy.tools import main  # slow to import, and few commands need it

    main.mitmdump(["-s", str(MAIN), *context.args])


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


def version(as_json: JsonOption = False) -> None:
    """Print the versions of secondhand, mitmproxy and Python."""
    versions = {
        "secondhand": _version_of("secondhand"),
        "mitmproxy": _version_of("mitmproxy"),
        "python": platform.python_version(),
    }
    if as_json:
        print_json(versions)
    else:
        for name, number in versions.items():
            typer.echo(f"{name} {number}")


def _version_of(distribution: str) -> str:
    try:
        return version_of(distribution)
    except PackageNotFoundError:  # run from a source directory
        return "not installed"
