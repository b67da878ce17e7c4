"""The command env."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.run.earlier_values import VARIABLE
from tests.fixtures.command_line import secondhand

pytestmark = pytest.mark.usefixtures("default_settings")


def test_unset_restores_what_this_shell_had_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, '{"HTTP_PROXY": "http://own:1", "APT_CONFIG": null}')
    lines = secondhand("env", "--unset").stdout.splitlines()
    assert lines == ["export HTTP_PROXY=http://own:1", "unset APT_CONFIG", f"unset {VARIABLE}"]


def test_unset_leaves_values_alone_that_env_has_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://own:1")
    result = secondhand("env", "--unset", "--shell", "fish")
    assert "set -e -g APT_CONFIG" in result.stdout.splitlines()
    assert "HTTPS_PROXY" not in result.stdout.split()
    assert "HTTPS_PROXY" in result.stderr
    assert result.stderr.endswith(" stay as they are\n")


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # in the CA certificates of some systems
def test_the_trust_store_for_java_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: each start of a shell that evaluates `secondhand env` made it again, which takes long."""
    monkeypatch.setenv("HOME", str(tmp_path))
    kept = []
    for _ in range(2):
        secondhand("env")
        (file,) = (tmp_path / "cache-home" / "secondhand" / "trust").glob("java-*.p12")
        kept.append(file.read_bytes())  # it has salts: no two that were made are equal
    assert kept[0] == kept[1]
