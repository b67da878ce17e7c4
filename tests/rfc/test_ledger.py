"""Every requirement is shown by a conversation or a test, or is listed with the reason why it is not met."""

from __future__ import annotations

from tests.rfc.__main__ import table
from tests.rfc.all_conversations import CONVERSATIONS
from tests.rfc.ledger import LEVELS, ledger, listed, shown_by_tests
from tools.conformance import report
from tools.conformance.aims import failures

SHOWN = {row for each in CONVERSATIONS for row in each.rows} | shown_by_tests().keys()
LISTED = {row: group for group in listed() for row in group.rows}


def test_the_number_and_the_levels_of_the_requirements() -> None:
    assert len(ledger()) == 310
    assert {row.level for row in ledger().values()} == LEVELS
    assert all(row.rule.endswith(".") for row in ledger().values())


def test_every_requirement_is_shown_or_listed() -> None:
    assert ledger().keys() - SHOWN - LISTED.keys() == set()


def test_every_named_row_is_in_the_ledger() -> None:
    assert ledger().keys() >= SHOWN
    assert LISTED.keys() <= ledger().keys()


def test_a_must_is_listed_only_if_the_suite_requires_otherwise() -> None:
    missed = {group.row for group in failures() if group.form == "present"}
    assert {row for row in LISTED if ledger()[row].level == "MUST"} <= missed


def test_the_documentation_contains_every_listed_row() -> None:
    page = report.FILE.read_text()
    assert [row for row in LISTED if f"`{row}`" not in page] == []


def test_the_table_contains_every_row_and_its_conversations() -> None:
    lines = list(table())
    assert [name for name in ledger() if not any(line.startswith(f"{name}  ") for line in lines)] == []
    assert any(line.strip() == "a client sends GET /a" for line in table(["FRESH-01"]))
