"""`secondhand man`: write the manual pages, one for each command."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.command_tree import CommandHelp, command_tree
from addon.cli.options import JsonOption
from addon.cli.terminal import print_json, print_line
from addon.runtime.exit_codes import OF_ALL_COMMANDS
from addon.runtime.version import version_of


def man(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder for the pages; it is made if it does not exist.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Write the manual pages of all commands into a folder.

    Then `man secondhand` shows the first one, if the folder is named man1 and in a folder that `manpath` lists.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program, date = command_tree(context.find_root().command), time.strftime("%Y-%m-%d")
    pages = list(program.with_all_below())
    for command in pages:
        (folder / f"{_name(command)}.1").write_text(page(command, program, date), encoding="utf-8")
    if as_json:
        print_json({"folder": str(folder), "pages": [f"{_name(command)}.1" for command in pages]})
    else:
        print_line(f"{len(pages)} pages are in {folder}: man -l {folder / 'secondhand.1'} shows the first")


def page(command: CommandHelp, program: CommandHelp, date: str) -> str:
    """Return the manual page of a command, in the macros of man(7).

    Args:
        command: The command.
        program: The whole program.
        date: The date of the page, like 2026-01-31.
    """
    return "\n".join(_lines(command, program, date)) + "\n"


def _lines(command: CommandHelp, program: CommandHelp, date: str) -> Iterator[str]:
    name, call = _name(command), " ".join(command.path)
    yield f'.TH {name.upper()} 1 {date} "secondhand {version_of("secondhand")}" "secondhand manual"'
    yield from (".SH NAME", f"{name} \\- {_text(command.summary.removesuffix('.'))}")
    yield from (".SH SYNOPSIS", f".B {_text(call)}", _text(command.usage))
    yield ".SH DESCRIPTION"
    for number, paragraph in enumerate(re.split(r"\n{2,}", command.description)):
        yield from (*([".PP"] if number else []), _text(paragraph))
    yield from _section("ARGUMENTS", list(command.arguments))
    yield from _section("COMMANDS", [(each.path[-1], each.summary) for each in command.commands])
    yield from _section("OPTIONS", [(each.label, each.text) for each in command.options])
    if command.example:
        yield from (".SH EXAMPLES", ".EX", _text(command.example), ".EE")
    yield from _section("EXIT STATUS", [(str(code), meaning) for code, meaning in OF_ALL_COMMANDS.items()])
    yield ".SH SEE ALSO"
    related = [*program.with_all_below()] if command is program else [program, *command.commands]
    others = [f".BR {_text(_name(each))} (1)" for each in related if each is not command]
    yield from (*(f"{other}," for other in others[:-1]), *others[-1:])


def _section(heading: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        yield f".SH {heading}"
    for name, text in rows:
        yield from (".TP", f".B {_text(name.strip())}", _text(text))


def _name(command: CommandHelp) -> str:
    return "-".join(command.path)


def _text(text: str) -> str:
    """Return text for a line of its own: nothing in it is a command of roff, and hyphens can be copied."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    text = text.replace("`", "\\(ga").replace('"', "\\(dq").replace("'", "\\(aq")
    return f"\\&{text}" if text[:1] == "." else text
