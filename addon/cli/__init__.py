"""The command line program `secondhand`. `commands` has the table of all commands; the other modules have the commands.

The start of a command must be quick. So a command's module is imported when the command is used, and modules that take
long to import, by functions that need them.
"""

from __future__ import annotations

import typer

from addon.cli.commands import MARKUP
from addon.cli.terminal import Application
from addon.cli.version import version_option

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found."

app = typer.Typer(
    cls=Application,
    name="secondhand",
    help="A caching HTTP(S) proxy that sends stored responses with status 203 Non-Authoritative Information.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=MARKUP,
)
app.callback()(version_option)


def main() -> None:
    """Run the command line and end the process."""
    app(prog_name="secondhand")
