"""The reference of the command line, written from the commands themselves."""

from __future__ import annotations

from typer.main import get_command

from addon.cli import app
from addon.cli.command_tree import CommandHelp, command_tree
from tools.documentation.markdown import cell, escaped, table

INTRODUCTION = """\
# Commands

This page is made from the commands when the documentation is built, so it has every command and every option.
`secondhand COMMAND --help` prints the same.
"""


def all_commands() -> list[CommandHelp]:
    """Return all commands, in the order of the help."""
    return list(command_tree(get_command(app)).with_all_below())


def page() -> str:
    """Return the page."""
    return "\n\n".join([INTRODUCTION, *map(_section, all_commands())]) + "\n"


def _section(command: CommandHelp) -> str:
    level = "##" if len(command.path) < 3 else "###"
    parts = [f"{level} {' '.join(command.path)}", _code(f"{' '.join(command.path)} {command.usage}")]
    parts.append(escaped(command.description))
    options = [each for each in command.options if "--help" not in each.names]
    if parameters := [*command.arguments, *((each.label, each.text) for each in options)]:
        rows = [(cell(f"`{names}`"), escaped(text)) for names, text in parameters]
        parts.append(table(("option or argument", "meaning"), rows))
    if command.example:
        parts += ["Example:", _code(command.example)]
    elif command.note:
        parts.append(command.note)
    return "\n\n".join(parts)


def _code(line: str) -> str:
    return f"```sh\n{line.strip()}\n```"
