"""The commands, and where each of them is. Its module is imported when the command is used, and not before.

`secondhand --help` needs only this table. The modules take up to a second to import, since most need the settings.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal

import typer
from typer.core import TyperCommand
from typer.main import get_group

MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() else None
"""Help in boxes for a terminal, in plain text for files."""


class PassThroughCommand(TyperCommand):
    """A command that passes on all its arguments unparsed, `--help` included."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own class of context
        """Keep the arguments as they are."""
        ctx.args = args
        return []


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or a group of commands."""

    name: str
    place: str
    """The module in `addon.cli`, a colon, and the function; for a group of commands, its `typer.Typer`."""
    summary: str
    """The first sentence of its help."""
    example: str = ""
    """For a group, its commands have examples of their own."""
    options: Mapping[str, Any] = MappingProxyType({})
    """More arguments for `typer.Typer.command`."""


COMMANDS = (
    Command(
        "run",
        "run:run",
        "Run a command behind a private proxy with its own cache.",
        "secondhand run -- npm ci",
        options={"context_settings": {"allow_interspersed_args": False}},
    ),
    Command(
        "env",
        "env:env",
        "Print the variables that make programs use the running proxy.",
        'eval "$(secondhand env)"',
    ),
    Command(
        "serve", "serve:serve", "Run the proxy until it is interrupted.", "secondhand serve --listen 127.0.0.1:8080"
    ),
    Command(
        "online",
        "modes:online",
        "Ask origins whenever the rules of caching require it.",
        "secondhand online '*.example.org'",
    ),
    Command("auto", "modes:auto", "Ask origins while they can be reached.", "secondhand auto '*.example.org'"),
    Command("offline", "modes:offline", "Ask no origin.", "secondhand offline '*.example.org'"),
    Command(
        "mode",
        "modes:mode",
        "Print the mode, and which hosts have a mode of their own.",
        "secondhand mode --json",
    ),
    Command("ls", "store:list_copies", "List the stored responses, by URL.", "secondhand ls '*.whl'"),
    Command(
        "show",
        "show:show",
        "Show stored responses, as received and as clients get them.",
        "secondhand show https://example.org/",
    ),
    Command(
        "why",
        "why:why",
        "Explain which response a request would get.",
        "secondhand why https://example.org/ -H 'Cache-Control: max-age=60'",
    ),
    Command(
        "lint",
        "lint:lint",
        "Check the response fields that an origin sends about caching.",
        "secondhand lint https://example.org/ -H 'Accept-Encoding: gzip'",
    ),
    Command(
        "warm",
        "warm:warm",
        "Fetch URLs into the store before they are needed.",
        "secondhand warm --private package-lock.json",
    ),
    Command(
        "purge",
        "store:purge",
        "Delete stored responses, in running proxies, too.",
        "secondhand purge --host example.org",
    ),
    Command(
        "stats",
        "stats:stats",
        "Print the size of the store, and what its proxies have done since their start.",
        "secondhand stats --hosts",
    ),
    Command(
        "status",
        "status:status",
        "Print the processes of running proxies, where they listen, and how many connections each has.",
        "secondhand status --json",
    ),
    Command(
        "record",
        "recordings:record",
        "Make the running proxy record all responses, until --stop.",
        "secondhand record checkout",
    ),
    Command(
        "replay",
        "recordings:replay",
        "Make the running proxy use a recording only, until --stop.",
        "secondhand replay checkout",
    ),
    Command(
        "export",
        "recordings:export",
        "Write a recording to a new file or folder.",
        "secondhand export checkout --format har",
    ),
    Command("import", "recordings:import_recording", "Make a recording from a file.", "secondhand import checkout.har"),
    Command(
        "diff", "recordings:diff", "Compare two recordings, except Date and Age.", "secondhand diff yesterday today"
    ),
    Command(
        "scrub",
        "recordings:scrub",
        "Remove fields and JSON members from a recording.",
        "secondhand scrub checkout --field X-Api-Key --field token",
    ),
    Command("recordings", "recordings:app", "List or remove recordings."),
    Command("config", "config:app", "Check and print the settings."),
    Command(
        "doctor", "doctor:doctor", "Check which installed programs work through the proxy.", "secondhand doctor --json"
    ),
    Command("queue", "queue:app", "List or fetch what was missing while offline."),
    Command("trust", "trust:app", "Export or install the CA certificate for clients."),
    Command(
        "addon", "mitm:addon", "Print the path of the addon, for mitmdump -s.", 'mitmdump -s "$(secondhand addon)"'
    ),
    Command(
        "mitmweb",
        "mitm:mitmweb",
        "Run mitmweb with this cache.",
        "secondhand mitmweb --listen-port 8081",
        options={"cls": PassThroughCommand},
    ),
    Command(
        "mitmdump",
        "mitm:mitmdump",
        "Run mitmdump with this cache.",
        "secondhand mitmdump --mode reverse:http://127.0.0.1:9000",
        options={"cls": PassThroughCommand},
    ),
    Command(
        "version",
        "version:version",
        "Print the versions of secondhand, mitmproxy and Python.",
        "secondhand version --json",
    ),
)
"""All commands, in the order of the help."""


class CommandOnDemand(TyperCommand):
    """Stands for a command until it is used."""

    def __init__(self, command: Command) -> None:
        super().__init__(command.name, help=command.summary)
        self._command = command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the arguments of the command itself; the context then has that command."""
        return loaded(self._command).make_context(info_name, args, parent, **extra)


def loaded(command: Command) -> Any:
    """Import the module of a command, and return the command as a class of typer."""
    module, _, name = command.place.partition(":")
    found = getattr(import_module(f"addon.cli.{module}"), name)
    group = typer.Typer(rich_markup_mode=MARKUP)
    if isinstance(found, typer.Typer):
        group.add_typer(found, name=command.name)
    else:
        epilog = f"Example: {command.example}" if command.example else None
        group.command(command.name, epilog=epilog, **command.options)(found)
    return get_group(group).commands[command.name]
