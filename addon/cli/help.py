"""The help of commands: in plain text, the same on a terminal, in a pipe and in the documentation.

typer's own help shows types of Python, shortens sentences, and on a terminal needs a library that is slow to import.
Contexts and formatters are `Any` here: their classes are in a module of typer that is not public.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

MAX_WIDTH = 100
"""Columns of the help on a wide terminal: longer lines are hard to read. In a pipe, it has 80."""

CONTEXT = {"help_option_names": ["--help", "-h"], "max_content_width": MAX_WIDTH}
"""Settings of the application; all commands inherit them."""

Rows = list[tuple[str, str]]

_RANGES = ((r"(\S+)<=x<=(\S+?)(?=[;\]])", r"\1 to \2"), (r"x>=(\S+?)(?=[;\]])", r"at least \1"))
"""Limits of numbers, as typer writes them and as the help does."""


def parameter_rows(command: Any, context: Any) -> tuple[Rows, Rows]:
    """Return names and help of the arguments of a command, and of its options. Types of Python are not shown.

    Args:
        command: A command of typer. The classes of its commands, and of their parameters, are not public.
        context: The context of the command.
    """
    arguments: Rows = []
    options: Rows = []
    for parameter in command.get_params(context):
        if (record := parameter.get_help_record(context)) is None:
            continue
        names, text = record
        for pattern, words in _RANGES:
            text = re.sub(pattern, words, text)
        if parameter.param_type_name == "argument":
            arguments.append((argument_name(parameter), text.replace("[required]", "").rstrip()))
        else:
            options.append((re.sub(r"<(\S+\|\S+)>", r"\1", names), text))  # a choice: --as curl|pip
    return arguments, options


def argument_name(parameter: Any) -> str:
    """Return the name of an argument, like URL or FILE."""
    return str(parameter.metavar or parameter.name.upper())


class HelpfulCommand(TyperCommand):
    """A command."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line: `[OPTIONS] URL [FILE...]`."""
        return ["[OPTIONS]", *_argument_pieces(self, ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        arguments, options = parameter_rows(self, ctx)
        _write(formatter, "Arguments", arguments)
        _write(formatter, "Options", options)


class HelpfulGroup(TyperGroup):
    """A command that has commands of its own. They are listed with the whole first sentence of their help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line: `[OPTIONS] COMMAND`."""
        return [*super().collect_usage_pieces(ctx)[:-1], "COMMAND"]  # in place of typer's COMMAND [ARGS]...

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands and the options."""
        self.format_commands(ctx, formatter)
        _write(formatter, "Options", parameter_rows(self, ctx)[1])

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, under one heading for each use that they have."""
        listed = [command for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))]
        shown = [command for command in listed if not command.hidden]
        width = max(len(command.name or "") for command in shown)
        for heading in dict.fromkeys(_heading(command) for command in shown):
            rows = [
                (f"{command.name or '':{width}}", command.get_short_help_str(sys.maxsize))
                for command in shown
                if _heading(command) == heading
            ]
            _write(formatter, heading, rows)


def _argument_pieces(command: Any, context: Any) -> list[str]:
    arguments = [each for each in command.get_params(context) if each.param_type_name == "argument"]
    return [argument_name(each) if each.required else f"[{argument_name(each)}]" for each in arguments]


def _heading(command: Any) -> str:
    return getattr(command, "rich_help_panel", None) or "Commands"


def _write(formatter: Any, heading: str, rows: Rows) -> None:
    if rows:
        with formatter.section(_bold(heading)):
            formatter.write_dl(rows)


def _bold(text: str) -> str:
    """Return a heading, in bold type on a terminal unless the user wants none (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else typer.style(text, bold=True)
