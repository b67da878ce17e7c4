"""The values that variables had before `secondhand env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.run.earlier_values import VARIABLE, earlier_values, environment_before, with_earlier_values
from addon.programs.run.variables import Shell, script


def test_values_are_restored_and_new_variables_are_unset() -> None:
    environ = {"NODE_OPTIONS": "--inspect", "EDITOR": "ed"}
    environ |= with_earlier_values({"NODE_OPTIONS": "--inspect --require x", "HTTP_PROXY": "http://a"}, environ)
    assert earlier_values(environ) == {"NODE_OPTIONS": "--inspect", "HTTP_PROXY": None, VARIABLE: None}


def test_a_second_time_keeps_the_values_from_before_the_first() -> None:
    environ = dict(with_earlier_values({"HTTP_PROXY": "http://a"}, {"HTTP_PROXY": "http://own"}))
    environ |= with_earlier_values({"HTTP_PROXY": "http://b", "APT_CONFIG": "c"}, environ)
    assert earlier_values(environ) == {"HTTP_PROXY": "http://own", "APT_CONFIG": None, VARIABLE: None}


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"A": 1}'])
def test_a_record_that_is_none_restores_nothing(record: str) -> None:
    assert earlier_values({VARIABLE: record}) == {}


def test_each_shell_has_its_way_to_unset() -> None:
    lines = {shell: script({"A": None}, shell) for shell in Shell}
    assert lines == {
        Shell.BASH: "unset A\n",
        Shell.ZSH: "unset A\n",
        Shell.FISH: "set -e -g A\n",
        Shell.POWERSHELL: "Remove-Item Env:A -ErrorAction SilentlyContinue\n",
    }


def test_the_environment_before_has_what_was_set_since_in_place_of_our_files(tmp_path: Path) -> None:
    ours = str(tmp_path / "authorities.pem")
    since = {**with_earlier_values({"A": ours, "B": ours, "C": ours}, {"A": "1", "C": "3"}), "C": "4"}
    before = environment_before({**since, "A": ours, "B": ours}, tmp_path)
    assert (before["A"], before.get("B"), before["C"]) == ("1", None, "4")
