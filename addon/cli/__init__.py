"""The command line program `secondhand`. `commands` has the table of all commands; the other modules have the commands.

The start of a command must be quick. So a command's module is imported when the command is used, and modules that take
long to import, by functions that need them.
"""

from __future__ import annotations

import typer

from addon.cli.help import CONTEXT
from addon.cli.terminal import Application
from addon.cli.version import version_option
from addon.runtime.exit_codes import OF_ALL_COMMANDS

app = typer.Typer(
    cls=Application,
    name="secondhand",
    help="A caching HTTP and HTTPS proxy that says when a response is its own copy, with status 203.",
    epilog=f"Exit codes: {', '.join(f'{code} {meaning}' for code, meaning in OF_ALL_COMMANDS.items())}.",
    no_args_is_help=True,
    add_completion=False,
    context_settings=CONTEXT,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(version_option)


def main() -> None:
    """Run the command line and end the process."""
    app(prog_name="secondhand")
