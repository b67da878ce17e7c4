"""No requirement is forgotten: each has a row that shows it, or a reason why it is not held."""

from __future__ import annotations

from tests.rfc.__main__ import table
from tests.rfc.every import CONVERSATIONS
from tests.rfc.ledger import LEVELS, ledger, listed, shown_by_tests
from tools.conformance import report
from tools.conformance.aims import failures

SHOWN = {row for each in CONVERSATIONS for row in each.rows} | shown_by_tests().keys()
LISTED = {row: group for group in listed() for row in group.rows}


def test_as_many_requirements_as_were_agreed() -> None:
    assert len(ledger()) == 288
    assert {row.level for row in ledger().values()} == LEVELS
    assert all(row.rule.endswith(".") for row in ledger().values())


def test_every_requirement_is_shown_or_listed() -> None:
    assert ledger().keys() - SHOWN - LISTED.keys() == set()


def test_every_row_is_of_the_ledger() -> None:
    assert {row for row in SHOWN if not row.startswith("case ")} <= ledger().keys()
    assert LISTED.keys() <= ledger().keys()


def test_a_must_is_listed_only_where_the_suite_asks_otherwise() -> None:
    missed = {group.row for group in failures() if group.form == "present"}
    assert {row for row in LISTED if ledger()[row].level == "MUST"} <= missed


def test_what_is_listed_stands_in_the_documentation() -> None:
    page = report.FILE.read_text()
    assert [row for row in LISTED if f"`{row}`" not in page] == []


def test_the_table_can_be_read_from_top_to_bottom() -> None:
    lines = list(table())
    assert [name for name in ledger() if not any(line.startswith(f"{name}  ") for line in lines)] == []
    assert any(line.strip() == "a client asks GET /a" for line in table(["FRESH-01"]))
