"""Reads config.example.toml with its comments: what it says about each table and each key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TABLE = re.compile(r"#?(\[\[?)([\w.]+)\]\]?")
_KEY = re.compile(r"(#?)(\w+) = (.*)")
_COMMENT = re.compile(r"#(?: (.*))?")


@dataclass(slots=True)
class Example:
    """The comments and values of the file.

    Attributes:
        introduction: The paragraphs at its top.
        tables: The comment of each table, by its name.
        lists: The names of the tables of which there may be several.
        keys: The comment and the value of each key, by its table and its name, joined by a dot.
        defaults: The keys whose values are those that apply without a settings file.
    """

    introduction: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    defaults: set[str] = field(default_factory=set)


def read_example(text: str) -> Example:
    """Return what a settings file says in its comments and values."""
    example, comment, table = Example(), list[str](), ""
    introduction, _, rest = text.partition("\n\n")
    example.introduction = _paragraphs(introduction.splitlines())
    for line in rest.splitlines():
        if found := _TABLE.fullmatch(line):
            table = found[2]
            example.tables.setdefault(table, " ".join(comment))
            if found[1] == "[[":
                example.lists.add(table)
            comment = []
        elif found := _KEY.fullmatch(line):
            path = f"{table}.{found[2]}" if table else found[2]
            example.keys.setdefault(path, (" ".join(comment), found[3]))
            if not found[1] and table not in example.lists:
                example.defaults.add(path)
            comment = []
        elif found := _COMMENT.fullmatch(line):
            comment.append(found[1] or "")
        else:
            comment = []
    return example


def _paragraphs(lines: list[str]) -> str:
    return "\n".join(line.removeprefix("#").strip() for line in lines)
