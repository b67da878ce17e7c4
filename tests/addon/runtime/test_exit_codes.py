"""The exit codes of the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from addon.runtime import exit_codes

PAGE = Path(__file__).parents[3] / "docs/operation.md"


def codes_of_page() -> Iterator[int]:
    """Iterate over the exit codes of the table for users; a row has one, or `first to last`, or a list."""
    _, _, rows = PAGE.read_text(encoding="utf-8").partition("| exit code | meaning |\n|---|---|\n")
    for row in rows.partition("\n\n")[0].splitlines():
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", row.split("|")[1]):
            yield from range(int(first), int(last or first) + 1)


def test_the_page_for_users_lists_every_exit_code() -> None:
    codes = {number for name, number in vars(exit_codes).items() if name.isupper() and isinstance(number, int)}
    assert sorted(codes_of_page()) == sorted({0, *codes})
