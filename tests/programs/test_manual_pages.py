"""The manual pages in the programs that show them: neither has a warning."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from addon.cli.command_tree import CommandHelp
from addon.cli.manual import page
from tests.fixtures.all_commands import ALL_COMMANDS, PROGRAM, words_of
from tests.programs.installed_programs import program


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=words_of)
@pytest.mark.parametrize(
    "viewer",
    [("groff", "-ww", "-man", "-Tutf8"), ("mandoc", "-T", "utf8", "-W", "warning,stop")],
    ids=lambda call: call[0],
)
def test_a_viewer_shows_a_page_without_a_warning(command: CommandHelp, viewer: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "page.1"
    path.write_text(page(command, PROGRAM, "2026-01-31"))
    done = subprocess.run([program(viewer[0]), *viewer[1:], str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert " ".join(command.path) in re.sub(r".\x08", "", done.stdout)  # without bold type
