"""The commands, and where each of them is. Its module is imported when the command is used, and not before.

`secondhand --help` needs only this table. The modules take up to a second to import, since most need the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_group

from addon.cli.help import HelpfulCommand, HelpfulGroup


class PassThroughCommand(TyperCommand):
    """A command that passes on all its arguments unparsed, `--help` included."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments as they are."""
        ctx.args = args
        return []


class Use(StrEnum):
    """Commands for one use have a heading of their own in the help."""

    RUN = "Run programs through the proxy"
    SERVE = "Serve"
    LOOK = "Look into the store"
    CHANGE = "Fill the store, and delete from it"
    RECORDINGS = "Recordings"
    SET_UP = "Trust, settings and help"


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or a group of commands."""

    use: Use
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
        Use.RUN,
        "run",
        "run:run",
        "Run a command behind a private proxy with its own cache.",
        "secondhand run -- npm ci",
        options={"context_settings": {"allow_interspersed_args": False}},
    ),
    Command(
        Use.RUN,
        "env",
        "env:env",
        "Print the variables that make programs use the running proxy.",
        'eval "$(secondhand env)"',
    ),
    Command(
        Use.RUN,
        "doctor",
        "doctor:doctor",
        "Check which installed programs work through the proxy.",
        "secondhand doctor --json",
    ),
    Command(
        Use.SERVE,
        "serve",
        "serve:serve",
        "Run the proxy until it is interrupted.",
        "secondhand serve --listen 127.0.0.1:8080",
    ),
    Command(
        Use.SERVE,
        "online",
        "modes:online",
        "Ask origins whenever the rules of caching require it.",
        "secondhand online '*.example.org'",
    ),
    Command(
        Use.SERVE, "auto", "modes:auto", "Ask origins while they can be reached.", "secondhand auto '*.example.org'"
    ),
    Command(Use.SERVE, "offline", "modes:offline", "Ask no origin.", "secondhand offline '*.example.org'"),
    Command(
        Use.SERVE,
        "mode",
        "modes:mode",
        "Print the mode, and which hosts have a mode of their own.",
        "secondhand mode --json",
    ),
    Command(
        Use.SERVE,
        "status",
        "status:status",
        "Print the processes of running proxies, where they listen, and how many connections each has.",
        "secondhand status --json",
    ),
    Command(
        Use.SERVE,
        "top",
        "top:top",
        "Show live what running proxies do: requests, hit rate, outcomes, times, hosts, exchanges.",
        "secondhand top --once",
    ),
    Command(
        Use.SERVE,
        "page",
        "page:page",
        "Open the page of the running proxy in a browser.",
        "secondhand page --print-url",
    ),
    Command(
        Use.SERVE,
        "hist",
        "hist:hist",
        "Show live how long hits and other responses of running proxies take.",
        "secondhand hist --once",
    ),
    Command(
        Use.SERVE,
        "addon",
        "mitm:addon",
        "Print the path of the addon, for mitmdump -s.",
        'mitmdump -s "$(secondhand addon)"',
    ),
    Command(
        Use.SERVE,
        "mitmweb",
        "mitm:mitmweb",
        "Run mitmweb with this cache.",
        "secondhand mitmweb --listen-port 8081",
        options={"cls": PassThroughCommand},
    ),
    Command(
        Use.SERVE,
        "mitmdump",
        "mitm:mitmdump",
        "Run mitmdump with this cache.",
        "secondhand mitmdump --mode reverse:http://127.0.0.1:9000",
        options={"cls": PassThroughCommand},
    ),
    Command(
        Use.LOOK,
        "ls",
        "ls:list_copies",
        "List the stored responses, by URL.",
        "secondhand ls '*.whl' --sort size --limit 10",
    ),
    Command(
        Use.LOOK,
        "show",
        "show:show",
        "Show stored responses, as received and as clients get them.",
        "secondhand show https://example.org/",
    ),
    Command(
        Use.LOOK,
        "why",
        "why:why",
        "Explain which response a request would get.",
        "secondhand why https://example.org/ -H 'Cache-Control: max-age=60'",
    ),
    Command(
        Use.LOOK,
        "lint",
        "lint:lint",
        "Check the response fields that an origin sends about caching.",
        "secondhand lint https://example.org/ -H 'Accept-Encoding: gzip'",
    ),
    Command(
        Use.LOOK,
        "stats",
        "stats:stats",
        "Print the size of the store, and what its proxies have done since their start.",
        "secondhand stats --hosts",
    ),
    Command(
        Use.LOOK,
        "report",
        "report:report",
        "Write a page about the last days: hit rate, savings, reasons, hosts.",
        "secondhand report --since 7d --out report.html",
    ),
    Command(
        Use.LOOK,
        "log",
        "log:log",
        "Print the lines of the access log that fit all conditions.",
        "secondhand log -f --status 5xx --host '*.example.org'",
    ),
    Command(
        Use.CHANGE,
        "warm",
        "warm:warm",
        "Fetch URLs into the store before they are needed.",
        "secondhand warm --private package-lock.json",
    ),
    Command(Use.CHANGE, "queue", "queue:app", "List or fetch what was missing while offline."),
    Command(
        Use.CHANGE,
        "purge",
        "purge:purge",
        "Delete stored responses, in running proxies, too.",
        "secondhand purge --tag news --soft",
    ),
    Command(
        Use.RECORDINGS,
        "record",
        "recordings:record",
        "Make the running proxy record all responses, until --stop.",
        "secondhand record checkout",
    ),
    Command(
        Use.RECORDINGS,
        "replay",
        "recordings:replay",
        "Make the running proxy use a recording only, until --stop.",
        "secondhand replay checkout",
    ),
    Command(Use.RECORDINGS, "recordings", "recordings:app", "List, compare or remove recordings."),
    Command(
        Use.RECORDINGS,
        "diff",
        "diff:diff",
        "Compare two recordings, or one with what the origins answer now.",
        "secondhand diff yesterday today",
    ),
    Command(
        Use.RECORDINGS,
        "scrub",
        "recordings:scrub",
        "Remove fields and JSON members from a recording.",
        "secondhand scrub checkout --field X-Api-Key --field token",
    ),
    Command(
        Use.RECORDINGS,
        "export",
        "recordings:export",
        "Write a recording to a new file or folder.",
        "secondhand export checkout --format har",
    ),
    Command(
        Use.RECORDINGS,
        "import",
        "recordings:import_recording",
        "Make a recording from a file.",
        "secondhand import checkout.har",
    ),
    Command(Use.SET_UP, "trust", "trust:app", "Export or install the CA certificate for clients."),
    Command(Use.SET_UP, "config", "config:app", "Check and print the settings, or begin a settings file."),
    Command(
        Use.SET_UP,
        "completion",
        "completion:completion",
        "Print a script that completes commands and options in a shell.",
        "secondhand completion fish > ~/.config/fish/completions/secondhand.fish",
    ),
    Command(
        Use.SET_UP,
        "man",
        "manual:man",
        "Write the manual pages of all commands into a folder.",
        "secondhand man ~/.local/share/man/man1",
    ),
    Command(
        Use.SET_UP,
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
        super().__init__(command.name, help=command.summary, rich_help_panel=command.use)
        self._command = command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the arguments of the command itself; the context then has that command."""
        return loaded(self._command).make_context(info_name, args, parent, **extra)


def loaded(command: Command) -> Any:
    """Import the module of a command, and return the command as a class of typer."""
    module, _, name = command.place.partition(":")
    found = getattr(import_module(f"addon.cli.{module}"), name)
    group = typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        for registered in found.registered_commands:
            registered.cls = HelpfulCommand
        group.add_typer(found, name=command.name, cls=HelpfulGroup)
    else:
        epilog = f"Example: {command.example}" if command.example else None
        group.command(command.name, epilog=epilog, **{"cls": HelpfulCommand, **command.options})(found)
    return get_group(group).commands[command.name]
