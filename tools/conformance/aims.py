"""What each test is to say, and why those are not passed that are not."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

type Form = Literal["present", "release"]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Aim:
    """A test of the suite's present form: `required`, `optimal` or `check`, and whether it is to pass."""

    kind: str
    passes: bool


@dataclass(frozen=True)
class Failure:
    """Tests that are not to pass, for one reason; `row` is the requirement or the decision behind it."""

    form: Form
    row: str
    reason: str
    tests: tuple[str, ...]


def aims() -> dict[str, Aim]:
    """Return the aim of each test of the present form, by its id."""
    sections: Mapping[str, Mapping[str, list[str]]] = tomllib.loads((HERE / "aims.toml").read_text())
    return {
        test: Aim(name.split("-")[0], not name.endswith(("-missed", "-no")))
        for section in sections.values()
        for name, tests in section.items()
        for test in tests
    }


def failures() -> list[Failure]:
    """Return the tests that are not to pass, grouped by their reasons."""
    forms = tomllib.loads((HERE / "expected_failures.toml").read_text())
    return [
        Failure(form, group["row"], group["reason"], tuple(group["tests"]))
        for form in ("present", "release")
        for group in forms[form]
    ]


def expected(form: Form) -> dict[str, Failure]:
    """Return the tests that are not to pass in a form, by their ids."""
    return {test: group for group in failures() if group.form == form for test in group.tests}
