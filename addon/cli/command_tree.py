"""All commands with their help, as data: for manual pages, completion in shells, and the documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from addon.cli.help import parameter_rows

_OPTION = re.compile(r"--?[a-z][\w-]*", re.IGNORECASE)
_EXAMPLE = "Example: "


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command."""

    names: tuple[str, ...]
    value: str
    """The name of its value, like FILE; or the choices, with `|` between them; empty if it takes none."""
    text: str
    """Its help."""

    @property
    def label(self) -> str:
        """Its names and its value, like `--out, -o FILE`."""
        return f"{', '.join(self.names)} {self.value}".rstrip()

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that its value can be; empty if it may be another one, too."""
        words = self.value.split("|")
        return tuple(word for word in words if word.islower()) if len(words) > 1 else ()


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """The help of a command, or of a group of commands."""

    path: tuple[str, ...]
    """The words by which it is called, `secondhand` first."""
    usage: str
    """The rest of its usage line."""
    description: str
    """Its paragraphs, with an empty line between them."""
    arguments: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    note: str
    """The last line: an example, or exit codes."""
    commands: tuple[CommandHelp, ...]
    """The commands of a group."""

    @property
    def example(self) -> str:
        """The command line that its note has as an example; empty if it has none."""
        return self.note.removeprefix(_EXAMPLE) if self.note.startswith(_EXAMPLE) else ""

    @property
    def summary(self) -> str:
        """The first paragraph of the description."""
        return " ".join(self.description.partition("\n\n")[0].split())

    def with_all_below(self) -> Iterator[CommandHelp]:
        """Iterate over this command and all commands below it."""
        yield self
        for command in self.commands:
            yield from command.with_all_below()


def command_tree(command: Any, name: str = "secondhand", parent: Any = None) -> CommandHelp:
    """Return the help of a command of typer and of all commands below it.

    Args:
        command: The command. The classes of typer's commands are not public.
        name: The word by which it is called.
        parent: The context of the group that it is in.
    """
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    command = context.command
    arguments, options = parameter_rows(command, context)
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    return CommandHelp(
        path=tuple(context.command_path.split()),
        usage=" ".join(command.collect_usage_pieces(context)),
        description=inspect.cleandoc(command.help or ""),
        arguments=tuple(arguments),
        options=tuple(_option(names, text) for names, text in options),
        note=command.epilog or "",
        commands=tuple(command_tree(command.get_command(context, each), each, context) for each in names),
    )


def _option(names: str, text: str) -> Option:
    words = names.replace(",", "").replace("/", "").split()
    found = tuple(word for word in words if _OPTION.fullmatch(word))
    return Option(found, " ".join(words[len(found) :]), text)
