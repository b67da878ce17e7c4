"""mitmproxy's own tools with this cache in them, and which versions are at work."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

import typer
from typer.core import TyperCommand

from addon.cli.options import JsonOption
from addon.cli.terminal import say_json

MAIN = Path(__file__).absolute().parents[1] / "main.py"
"""What `mitmdump -s` loads."""


class Untouched(TyperCommand):
    """A command that hands all its arguments on, `--help` included."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own class of context
        """Take the arguments as they are."""
        ctx.args = args
        return []


def addon(as_json: JsonOption = False) -> None:
    """Print the path of the addon, for mitmdump -s.

    That mitmdump has to run in this same environment, as `secondhand mitmdump` does.
    """
    if as_json:
        say_json({"addon": str(MAIN)})
    else:
        typer.echo(MAIN)


def mitmweb(context: typer.Context) -> None:
    """Run mitmweb with this cache. All arguments go to mitmweb."""
    from mitmproxy.tools import main  # loads mitmproxy, which few commands need

    main.mitmweb(["-s", str(MAIN), *context.args])


def mitmdump(context: typer.Context) -> None:
    """Run mitmdump with this cache. All arguments go to mitmdump."""
    from mitmproxy.tools import main  # loads mitmproxy, which few commands need

    main.mitmdump(["-s", str(MAIN), *context.args])


def version(as_json: JsonOption = False) -> None:
    """Print the versions of secondhand, mitmproxy and Python."""
    versions = {
        "secondhand": _version_of("secondhand"),
        "mitmproxy": _version_of("mitmproxy"),
        "python": platform.python_version(),
    }
    if as_json:
        say_json(versions)
    else:
        for name, number in versions.items():
            typer.echo(f"{name} {number}")


def _version_of(distribution: str) -> str:
    try:
        return version_of(distribution)
    except PackageNotFoundError:  # run from its sources
        return "not installed"
