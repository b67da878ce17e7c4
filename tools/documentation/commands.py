"""The reference of the command line, written from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typer.main import get_command

from addon.cli import app
from tools.documentation.markdown import cell, escaped, table

INTRODUCTION = """\
# Commands

This page is made from the commands when the documentation is built, so it has every command and every option.
`secondhand COMMAND --help` prints the same.
"""


@dataclass(frozen=True, slots=True)
class CommandText:
    """The text about one command.

    Attributes:
        path: The words by which it is called, `secondhand` first.
        usage: Its arguments in short.
        description: Its help.
        parameters: For each argument and option, its names and its help.
        note: The last line of its help: an example, or exit codes.
        is_group: It is only a name before other commands.
    """

    path: tuple[str, ...]
    usage: str
    description: str
    parameters: tuple[tuple[str, str], ...]
    note: str
    is_group: bool


def all_commands() -> list[CommandText]:
    """Return all commands, in the order of the help."""
    return list(_below(get_command(app), "secondhand", None))


def _below(command: Any, name: str, parent: Any) -> Iterator[CommandText]:
    """Iterate over a command and the commands below it. The classes of typer's commands are not public."""
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    command = context.command
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    shown = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    yield CommandText(
        path=tuple(context.command_path.split()),
        usage=" ".join(command.collect_usage_pieces(context)),
        description=inspect.cleandoc(command.help or ""),
        parameters=tuple(record for each in shown if (record := each.get_help_record(context)) and each.name != "help"),
        note=command.epilog or "",
        is_group=bool(names),
    )
    for each in names:
        below = command.get_command(context, each)
        if not below.hidden:
            yield from _below(below, each, context)


def page() -> str:
    """Return the page."""
    return "\n\n".join([INTRODUCTION, *map(_section, all_commands())]) + "\n"


def _section(command: CommandText) -> str:
    level = "##" if len(command.path) < 3 else "###"
    parts = [f"{level} {' '.join(command.path)}", _code(f"{' '.join(command.path)} {command.usage}")]
    parts.append(escaped(command.description))
    if command.parameters:
        parts.append(
            table(
                ("option or argument", "meaning"),
                [(_names(names), escaped(text)) for names, text in command.parameters],
            )
        )
    if example := re.fullmatch(r"Example: (.*)", command.note):
        parts += ["Example:", _code(example[1])]
    elif command.note:
        parts.append(command.note)
    return "\n\n".join(parts)


def _code(line: str) -> str:
    return f"```sh\n{line.strip()}\n```"


def _names(names: str) -> str:
    without_types = re.sub(r" <[\w\[\]]+>", "", names)  # a type of Python tells users nothing
    return cell(f"`{without_types}`")
