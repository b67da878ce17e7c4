"""The rows of the ledger: the requirements, the tests that show them, and those that are not met."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

HERE = Path(__file__).parent
TESTS = HERE.parent

Level = Literal["MUST", "SHOULD", "MAY", "OWN"]


@dataclass(frozen=True)
class Row:
    """One requirement."""

    level: Level
    source: str
    """The clause of a standard, or `ours`."""
    rule: str


@dataclass(frozen=True)
class Listed:
    """Requirements that are not met, or not in full, and why."""

    rows: tuple[str, ...]
    why: str


def ledger() -> dict[str, Row]:
    """Return every requirement by its id, in the order of the ledger. Raises TypeError for a malformed row."""
    table = tomllib.loads((HERE / "ledger.toml").read_text())
    return {name: Row(**cells) for name, cells in table.items()}


def listed() -> list[Listed]:
    """Return the requirements that docs/conformance.md lists as not met."""
    groups = tomllib.loads((HERE / "listed.toml").read_text()).get("listed", [])
    return [Listed(tuple(group["rows"]), group["why"]) for group in groups]


def shown_by_tests() -> dict[str, list[str]]:
    """Return the tests marked with `row`, by the rows that they show. No conversation can show these rows."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for row in _marked(node):
                    found.setdefault(row, []).append(f"{path.relative_to(TESTS.parent)}::{node.name}")
    return found


def _marked(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.row":
            yield from (ast.literal_eval(argument) for argument in mark.args)


LEVELS = frozenset(get_args(Level))
