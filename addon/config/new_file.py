"""A settings file for a start: the example, with all values as comments, so the defaults of later versions apply."""

from __future__ import annotations

import re

_TABLE = re.compile(r"\[[^\[].*")


def new_settings_file(example: str) -> str:
    """Return the example of a settings file with its values commented out.

    A line that begins with "#" and no space is a value. Tables that may be there once stay, and are empty.
    """
    return "".join(f"{_commented(line)}\n" for line in example.splitlines())


def _commented(line: str) -> str:
    return line if not line or line.startswith("#") or _TABLE.match(line) else f"#{line.strip()}"
