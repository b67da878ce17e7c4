"""Small pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Return text for one cell of a table, which is one line."""
    return " ".join(text.split()).replace("|", "\\|")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. The cells are Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(_whole, line))} |" for line in lines)


def _whole(text: str) -> str:
    return " ".join(text.split())


def escaped(text: str) -> str:
    """Return plain text as Markdown, except that `code` stays code. URLs become code, so that they are no links."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else _escaped(piece) for piece in pieces)


def _escaped(text: str) -> str:
    marked = re.split(r"(\bhttps?://[^\s\"',]+)", text)
    return "".join(
        f"`{part}`" if number % 2 else re.sub(r"([\\*_<>\[\]{}$|])", r"\\\1", part)
        for number, part in enumerate(marked)
    )


def anchor(name: str) -> str:
    """Return a line that makes the heading below it the target of `#name`."""
    return f"({name})="
