"""The commands config schema, config init and config path."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import fastjsonschema
import pytest

from tests.fixtures.command_line import secondhand

pytestmark = pytest.mark.usefixtures("default_settings")

EXAMPLE = (Path(__file__).parents[3] / "config.example.toml").read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home directory of a user without settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    return tmp_path


# ---- schema


def accepts(text: str) -> bool:
    schema = json.loads(secondhand("config", "schema").stdout)
    try:
        fastjsonschema.compile(schema)(tomllib.loads(text))
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def test_the_schema_accepts_every_setting_of_the_example() -> None:
    assert accepts(EXAMPLE)
    assert accepts(re.sub(r"(?m)^#(?=\S)", "", EXAMPLE))


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ('store.max_size = "2 GiB"', True),
        ("store.max_size = 2147483648", True),
        ("store.max_size = true", False),
        ('store.max_object = "free"', True),
        ("drain_timeout = 1.5", True),
        ('workers = "auto"', True),
        ('workers = "many"', False),
        ('answer.status = "sometimes"', False),
        ("stor.path = 1", False),
    ],
)
def test_the_schema_accepts_what_the_program_accepts(text: str, accepted: bool, tmp_path: Path) -> None:
    assert accepts(text) is accepted
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert secondhand("config", "check", "--config", file).exit_code == (0 if accepted else 2)


# ---- init


def test_init_writes_the_file_that_is_read(home: Path) -> None:
    file = home / ".config" / "secondhand" / "config.toml"
    assert secondhand("config", "init").stdout.startswith(f"{file}: ")
    assert secondhand("config", "check").stdout == f"{file}: no faults\n"
    file.write_text(file.read_text().replace('#listen = "127.0.0.1:8080"', 'listen = "127.0.0.1:9999"'))
    assert json.loads(secondhand("config", "show", "--json").stdout)["settings"]["listen"] == "127.0.0.1:9999"


def test_init_never_replaces_a_file_without_force(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# mine\n")
    result = secondhand("config", "init", file)
    assert result.exit_code == 1
    assert result.stderr == f"secondhand: {file}: expected a new file, found one that exists: --force replaces it\n"
    assert file.read_text() == "# mine\n"
    assert json.loads(secondhand("config", "init", file, "--force", "--json").stdout) == {"path": str(file)}
    assert "#profile" in file.read_text()


# ---- path


def test_path_lists_the_sources_in_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_CONFIG", str(home / "none.toml"))
    monkeypatch.setenv("SECONDHAND_LISTEN", "127.0.0.1:3128")
    monkeypatch.setenv("SECONDHAND_PROFILE", "dev")
    rows = json.loads(secondhand("config", "path", "--json").stdout)
    assert [(row["source"], row["state"]) for row in rows] == [
        ("defaults", "read"),
        ("user's settings file", "not read"),
        ("$SECONDHAND_CONFIG", "does not exist"),
        ("--config", "not set"),
        ("$SECONDHAND_LISTEN", "read"),
        ("$SECONDHAND_PROFILE", "read"),
    ]
    assert rows[2]["place"] == str(home / "none.toml")


def test_path_names_the_file_that_an_option_selects(home: Path) -> None:
    file = home / "other.toml"
    file.write_text('profile = "npm"')
    rows = json.loads(secondhand("config", "path", "--config", file, "--json").stdout)
    assert {row["source"]: row["state"] for row in rows} == {
        "defaults": "read",
        "profile npm": "read",
        "user's settings file": "not read",
        "$SECONDHAND_CONFIG": "not set",
        "--config": "read",
    }
