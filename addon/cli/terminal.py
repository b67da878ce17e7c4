"""Output of commands: tables on a terminal, else tab-separated lines, or JSON; and failures with an exit code."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from itertools import batched, chain
from typing import Any, NoReturn

import typer

from addon.cli.commands import COMMANDS, CommandOnDemand
from addon.cli.help import HelpfulGroup
from addon.cli.usage_errors import UsageError, is_help, usage_error_lines
from addon.runtime.exit_codes import FAILED, INTERRUPTED, WRONG_USAGE

_ROWS_ALIGNED = 1000
"""Rows of a table that are aligned with each other on a terminal."""


class Application(HelpfulGroup):
    """All commands. An expected failure ends in a message and an exit code, without a traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for command in COMMANDS:
            self.add_command(CommandOnDemand(command))

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Parse the command line, and run a command."""
        try:
            sys.exit(super().main(*arguments, **{**options, "standalone_mode": False}))
        except UsageError as error:
            if is_help(error):
                typer.echo(error.format_message(), err=True)
            else:
                for line in usage_error_lines(error):
                    print_note(line)
            sys.exit(WRONG_USAGE)
        except OSError as error:  # of the help, which is printed while the command line is parsed
            print_note(error.strerror or str(error))
            sys.exit(FAILED)
        except (typer.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line; `help COMMAND` is `COMMAND --help`."""
        return super().parse_args(ctx, [*args[1:], "--help"] if args[:1] == ["help"] else args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        logging.lastResort = NoteHandler(logging.WARNING)  # for commands that do not configure logging
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, UsageError):
            raise
        except Exception as error:  # of any kind: those that people cannot run into are raised again
            from addon.serve.failures import message_and_exit_code  # slow to import: it needs the errors of all parts

            if (expected := message_and_exit_code(error)) is None:
                raise
            fail(*expected)


class NoteHandler(logging.Handler):
    """Prints log records in the same form as the notes of commands."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record on standard error."""
        from addon.config.redaction import redaction  # slow to import

        print_note(redaction.text(record.getMessage()))


def fail(message: str, exit_code: int) -> NoReturn:
    """Print an error on standard error and end the command."""
    for line in message.splitlines():
        print_note(line)
    raise typer.Exit(exit_code)


def print_note(message: str) -> None:
    """Print a message on standard error, apart from the output."""
    typer.echo(f"secondhand: {printable(message)}", err=True)


def print_line(message: str) -> None:
    """Print a line of output."""
    typer.echo(printable(message))


def print_paragraph(text: str) -> None:
    """Print a long line of output; on a terminal, its words are wrapped."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(textwrap.wrap(printable(text), width, break_long_words=False, break_on_hyphens=False))
        typer.echo(text)
    else:
        print_line(text)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_list(values: Iterable[object]) -> None:
    """Print a list as JSON, one value after the other: it may be too long for memory."""
    separator = "[\n"
    for value in values:
        text = json.dumps(value, indent=2, ensure_ascii=False)
        typer.echo(separator + "  " + text.replace("\n", "\n  "), nl=False)
        separator = ",\n"
    typer.echo("[]" if separator == "[\n" else "\n]")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str] = (), *, copyable: bool = False
) -> None:
    """Print a table: with aligned columns and wrapped lines on a terminal, else one tab-separated line per row.

    Args:
        columns: The headings. A column whose heading begins with ">" is aligned to the right.
        rows: The cells. On a terminal, the last column takes the remaining width. There may be too many for memory.
        styles: The styles of each column's cells, on a terminal.
        copyable: It has URLs, which people copy: lines are not wrapped, except by the terminal itself.
    """
    if not sys.stdout.isatty():
        for row in chain([[column.lstrip(">") for column in columns]], rows):
            typer.echo("\t".join(map(printable, row)))
        return
    pages = batched(rows, _ROWS_ALIGNED)
    if copyable:
        for number, page in enumerate(pages):
            _print_copyable(columns, page, with_heading=number == 0)
        return
    _print_aligned(columns, next(pages, ()), styles, with_heading=True)
    for page in pages:
        _print_aligned(columns, page, styles, with_heading=False)


def _print_copyable(columns: Sequence[str], rows: Iterable[Sequence[str]], *, with_heading: bool) -> None:
    cells = [[column.lstrip(">") for column in columns], *(list(map(printable, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        aligned = [
            cell.rjust(width) if column.startswith(">") else cell.ljust(width)
            for cell, width, column in zip(row[:-1], widths[:-1], columns[:-1], strict=True)
        ]
        if number or with_heading:
            typer.echo("  ".join([*aligned, row[-1]]))


def _print_aligned(
    columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str], *, with_heading: bool
) -> None:
    from rich.console import Console  # slow to import, and not needed for files and pipes
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=with_heading)
    for number, column in enumerate(columns):
        table.add_column(
            Text(column.lstrip(">")),
            justify="right" if column.startswith(">") else "left",
            style=styles[number] if number < len(styles) else None,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)


def printable(text: str) -> str:
    """Return text with control characters escaped, so that text from outside cannot control the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
