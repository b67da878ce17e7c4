"""Output of commands that may be long."""

from __future__ import annotations

import re
import sys

import pytest

from addon.cli import terminal
from addon.cli.terminal import print_json, print_json_list, print_table


@pytest.mark.parametrize("values", [[], [1], [{"url": "http://a.test/\u2028\n", "size": 1}, {"tags": ["a", "b"]}]])
def test_a_list_is_printed_value_by_value_as_the_same_json(
    capsys: pytest.CaptureFixture[str], values: list[object]
) -> None:
    print_json(values)
    at_once = capsys.readouterr().out
    print_json_list(iter(values))
    assert capsys.readouterr().out == at_once


def test_a_long_table_on_a_terminal_has_one_heading(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_ROWS_ALIGNED", 2)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(["NAME", ">SIZE"], ((f"row-{number}", str(number)) for number in range(5)))
    output = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    lines = [line.split() for line in output.splitlines()]
    assert lines == [["NAME", "SIZE"], *([f"row-{number}", str(number)] for number in range(5))]


def test_a_table_is_printed_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Regression: `secondhand ls` took memory for all stored responses before it printed the first one."""

    def rows() -> list[str]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        print_table(["NAME"], (["first"] if number == 0 else rows() for number in range(2)))
    assert capsys.readouterr().out == "NAME\nfirst\n"


def test_a_copyable_table_has_each_row_on_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_ROWS_ALIGNED", 2)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    url = "http://a.test/" + "long/" * 40
    print_table(["MISSING", ">SIZE", "WHY"], [(url, "1", "a reason"), ("b", "22", "c"), ("d", "3", "e")], copyable=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["MISSING", "SIZE", "WHY"], [url, "1", "a", "reason"], ["b", "22", "c"], ["d", "3", "e"]]
