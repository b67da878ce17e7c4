"""What commands say: tables on a terminal, plain lines elsewhere, JSON where asked; and how they fail."""

from __future__ import annotations

import errno
import json
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from addon.config.errors import ConfigError
from addon.recordings.library import NoNameError, NoRecordingError
from addon.runtime.control import ControlError
from cache.stores.base import StoreError

FAILED, WRONG_USAGE, NOT_FOUND = 1, 2, 3


class Application(TyperGroup):
    """The commands, whose failures end in a sentence and an exit code, not in a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer's own class of context
        """Run a command."""
        logging.lastResort = Notes(logging.WARNING)  # for commands that keep no log of their own
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            fail(str(error), WRONG_USAGE)
        except NoNameError as error:
            fail(str(error), WRONG_USAGE)
        except NoRecordingError as error:
            fail(str(error), NOT_FOUND)
        except (StoreError, ControlError) as error:
            fail(str(error), FAILED)
        except OSError as error:
            if error.errno == errno.EPIPE:  # `secondhand ls | head`: not worth a word
                raise
            fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), FAILED)


class Notes(logging.Handler):
    """Says what is logged as commands say it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it on standard error."""
        note(record.getMessage())


def fail(message: str, exit_code: int) -> NoReturn:
    """Say what went wrong on standard error and end the command."""
    for line in message.splitlines():
        note(line)
    raise typer.Exit(exit_code)


def note(message: str) -> None:
    """Say something on standard error, beside the output."""
    typer.echo(f"secondhand: {printable(message)}", err=True)


def say(message: str) -> None:
    """Print a line."""
    typer.echo(printable(message))


def say_json(value: object) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Print a table: aligned and folded on a terminal, one tab-separated line a row elsewhere.

    Args:
        columns: The headings. One that begins with ">" stands to the right.
        rows: The cells. On a terminal the last column takes the room that is left.
        styles: Styles of the cells of each column, on a terminal.
    """
    if not sys.stdout.isatty():
        for row in ([column.lstrip(">") for column in columns], *rows):
            typer.echo("\t".join(map(printable, row)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
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
    """Return text from anywhere with control characters made visible, so that it cannot drive a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
