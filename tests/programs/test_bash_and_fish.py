"""The output of `secondhand env` in real shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.run.earlier_values import VARIABLE, earlier_values, with_earlier_values
from addon.programs.run.variables import Shell, script
from tests.programs.installed_programs import program, run

VALUE = """it's "a" $HOME \\ b"""


SHELLS = pytest.mark.parametrize("shell", [Shell.BASH, Shell.FISH, Shell.ZSH])


@SHELLS
def test_a_shell_reads_every_character_of_a_value_unchanged(shell: Shell, tmp_path: Path) -> None:
    assert run(tmp_path, program(shell), "-c", script({"VALUE": VALUE}, shell) + 'printf %s "$VALUE"') == VALUE


@SHELLS
def test_a_shell_gets_its_earlier_values_back(shell: Shell, tmp_path: Path) -> None:
    before = {"OWN": VALUE}
    values = with_earlier_values({"OWN": "ours", "NEW": "ours"}, before)
    set_and_restore = script(values, shell) + script(earlier_values(values), shell) + "env"
    printed = run(tmp_path, program(shell), "-c", set_and_restore, **before).splitlines()
    assert f"OWN={VALUE}" in printed
    assert not [line for line in printed if line.startswith(("NEW=", VARIABLE))]
