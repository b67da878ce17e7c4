"""`secondhand version`, and what is said where a part or the system is not there."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import pytest
from packaging.version import Version

from tests.fixtures.command_line import secondhand

ROOT = Path(__file__).parents[3]


def test_the_version_is_that_of_the_package() -> None:
    number = metadata.version("secondhand")
    assert secondhand("version").stdout.splitlines()[0] == f"secondhand {number}"
    assert str(Version(number)) == number


def test_the_tested_versions_are_in_a_file_for_pip() -> None:
    file = Path(secondhand("version", "--constraints").stdout.strip())
    assert file.read_text() == (ROOT / "constraints.txt").read_text()


def test_lint_says_how_to_install_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = util.find_spec
    monkeypatch.setattr("addon.cli.lint.find_spec", lambda name: None if name == "httplint" else find_spec(name))
    result = secondhand("lint", "http://a.test/")
    assert result.exit_code == 1
    assert 'pip install "secondhand[lint]"' in result.stderr


def test_windows_is_refused_with_a_sentence() -> None:
    script = "import sys; sys.platform = 'win32'; import addon.cli"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    expected = "secondhand does not run on Windows. Install it in the Windows Subsystem for Linux (WSL) instead.\n"
    assert done.stderr == expected
