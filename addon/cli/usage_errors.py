"""Wrong command lines: the message has what is wrong, where, and what was expected, like all messages of commands."""

from __future__ import annotations

import re
from typing import Any

import typer

UsageError: Any = typer.BadParameter.__bases__[0]
"""Typer's class for a wrong command line, which it does not publish."""

_WORDS = (
    (r"^Invalid value for (.*?): ", r"\1: "),
    (r"^Invalid value: ", ""),
    (r"Input should be a valid integer.*", "expected a whole number"),
    (r"Input should be less than or equal to (\S+)", r"expected \1 or less"),
    (r"Input should be greater than or equal to (\S+)", r"expected \1 or more"),
    (r"Value error, .* is not one of (.*)", r"expected one of \1"),
    (r"Got unexpected extra arguments? ?(\(s\) )?\((.*)\)", r"expected fewer arguments, found \2 in addition"),
    (r"\. Choose from: ", ": expected one of "),
    (r"[Oo]ption '(\S+)' requires an argument", r"\1: expected a value after it"),
    (r"\((Possible options): (.*)\)", r"(similar: \2)"),
    (r"[Pp]ath '(.*)' is not readable", r'expected a file that can be read, found "\1"'),
)
"""Wordings of typer and pydantic, and ours."""

_QUOTED_NAME = re.compile(r"'(-\S+|[A-Z][A-Z|.]*)'")
"""An option or an argument in a message of typer: ours name them without quotes."""


def usage_error_lines(error: Any) -> list[str]:
    """Return the lines of the message for a wrong command line: what is wrong, and how the command is used."""
    from pydantic import ValidationError  # slow to import, and most command lines are right

    context, message = error.ctx, " ".join(error.format_message().split()).removesuffix(".")
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    if isinstance(error.__cause__, ValidationError):  # typer leaves out the value that pydantic refused
        message = f'{message.replace("'", "")}, found "{error.__cause__.errors()[0]["input"]}"'
    message = _QUOTED_NAME.sub(r"\1", message)
    lines = [message if message[:2].isupper() else message[:1].lower() + message[1:]]
    if context:
        usage = " ".join(context.command.collect_usage_pieces(context))
        lines.append(f"usage: {context.command_path} {usage} (more: {context.command_path} --help)")
    return lines


def is_help(error: Any) -> bool:
    """Return whether the message is the help of a group of commands, of which none was named."""
    return bool(error.ctx) and error.format_message() == error.ctx.get_help()
