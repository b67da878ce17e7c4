"""`secondhand addon|mitmweb|mitmdump`: this cache inside mitmproxy's tools."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from addon.cli.options import JsonOption
from addon.cli.terminal import print_json

MAIN = Path(__file__).absolute().parents[1] / "main.py"
"""The script that `mitmdump -s` loads."""


def addon(as_json: JsonOption = False) -> None:
    """Print the path of the addon, for mitmdump -s.

    mitmdump must run in the same Python environment; `secondhand mitmdump` does that.
    """
    if as_json:
        print_json({"addon": str(MAIN)})
    else:
        typer.echo(MAIN)


def mitmweb(context: typer.Context) -> None:
    """Run mitmweb with this cache.

    All arguments go to mitmweb.
    """
    from mitmproxy.tools import main  # slow to import, and few commands need it

    sys.argv[0] = "secondhand mitmweb"  # its messages begin with this
    main.mitmweb(["-s", str(MAIN), *context.args])


def mitmdump(context: typer.Context) -> None:
    """Run mitmdump with this cache.

    All arguments go to mitmdump.
    """
    from mitmproxy.tools import main  # slow to import, and few commands need it

    sys.argv[0] = "secondhand mitmdump"  # as above
    main.mitmdump(["-s", str(MAIN), *context.args])
