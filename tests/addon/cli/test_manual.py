"""The manual pages have every command and every option."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.cli.command_tree import CommandHelp
from addon.cli.manual import page
from tests.fixtures.all_commands import ALL_COMMANDS, PROGRAM, words_of
from tests.fixtures.command_line import secondhand


def test_every_command_has_a_page(tmp_path: Path) -> None:
    result = secondhand("man", tmp_path / "man1")
    assert result.exit_code == 0
    pages = sorted(path.name for path in (tmp_path / "man1").iterdir())
    assert pages == sorted(f"{'-'.join(command.path)}.1" for command in ALL_COMMANDS)


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=words_of)
def test_a_page_has_every_option(command: CommandHelp) -> None:
    lines = page(command, PROGRAM, "2026-01-31").replace("\\-", "-").splitlines()
    assert lines[0].startswith(f".TH {'-'.join(command.path).upper()} 1 2026-01-31 ")
    names = [name for line in lines if line.startswith(".B -") for name in line.replace(",", "").split()[1:]]
    assert {name for option in command.options for name in option.names} <= set(names)


def test_text_cannot_be_a_command_of_roff() -> None:
    command = CommandHelp(("secondhand", "x"), "", "An example.\n\n.so /etc/passwd\n\n'br \\fB", (), (), "", ())
    lines = page(command, command, "2026-01-31").splitlines()
    assert "\\&.so /etc/passwd" in lines
    assert "\\(aqbr \\efB" in lines
