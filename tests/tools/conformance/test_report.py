"""The page of the conformance suite."""

from __future__ import annotations

import tomllib

from tools.conformance.report import FILE, HERE, lanes


def test_the_page_has_the_table_of_lanes_as_its_source_says() -> None:
    assert lanes() in FILE.read_text()


def test_each_row_of_the_table_says_something_about_each_lane() -> None:
    known = tomllib.loads((HERE / "lanes.toml").read_text())
    assert [row["property"] for row in known["row"] if len(row["cells"]) != len(known["lanes"])] == []
