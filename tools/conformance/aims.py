"""Expected result of each test of the suite, and the reason for each expected failure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

type Form = Literal["present", "release"]
"""The suite's present form (its current files), or its latest release."""

HERE = Path(__file__).parent


@dataclass(frozen=True)
class ExpectedResult:
    """Of a test in the present form. `kind` is `required`, `optimal` or `check`."""

    kind: str
    passes: bool


@dataclass(frozen=True)
class Failure:
    """Tests that are expected to fail for one reason. `row` is the ledger row behind it (tests/rfc/ledger.toml)."""

    form: Form
    row: str
    reason: str
    tests: tuple[str, ...]


def expected_results() -> dict[str, ExpectedResult]:
    """Return the expected result of each test of the present form, by its id."""
    sections: Mapping[str, Mapping[str, list[str]]] = tomllib.loads((HERE / "aims.toml").read_text())
    return {
        test: ExpectedResult(name.split("-")[0], not name.endswith(("-missed", "-no")))
        for section in sections.values()
        for name, tests in section.items()
        for test in tests
    }


def failures() -> list[Failure]:
    """Return the expected failures of both forms, grouped by reason."""
    forms = tomllib.loads((HERE / "expected_failures.toml").read_text())
    return [
        Failure(form, group["row"], group["reason"], tuple(group["tests"]))
        for form in ("present", "release")
        for group in forms[form]
    ]


def expected_failures(form: Form) -> dict[str, Failure]:
    """Return the expected failures of a form, by test id."""
    return {test: group for group in failures() if group.form == form for test in group.tests}
