"""The output of `secondhand env` in real shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.run.variables import Shell, script
from tests.programs.installed_programs import program, run

VALUE = """it's "a" $HOME \\ b"""


@pytest.mark.parametrize("shell", [Shell.BASH, Shell.FISH])
def test_a_shell_reads_every_character_of_a_value_unchanged(shell: Shell, tmp_path: Path) -> None:
    assert run(tmp_path, program(shell), "-c", script({"VALUE": VALUE}, shell) + 'printf %s "$VALUE"') == VALUE
