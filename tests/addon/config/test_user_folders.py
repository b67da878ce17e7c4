"""The folders of users: with a home directory, without one, and with one that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from addon.config.errors import ConfigError
from addon.config.user_folders import CA_FILE, ca_directory, default_settings_file, default_store, expanded


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home directory."""
    (home := tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user that the system does not know, without HOME."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)


def with_ca(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / CA_FILE).touch()
    return directory


def test_the_ca_is_that_of_mitmproxy(home: Path, tmp_path: Path) -> None:
    assert ca_directory(tmp_path / "store") == home / ".mitmproxy"


def test_a_ca_in_the_store_stays_in_use_until_the_home_has_one(home: Path, tmp_path: Path) -> None:
    beside = with_ca(tmp_path / "store" / "ca")
    assert ca_directory(tmp_path / "store") == beside
    assert ca_directory(tmp_path / "store") != with_ca(home / ".mitmproxy")
    assert ca_directory(tmp_path / "store") == home / ".mitmproxy"


def test_a_home_that_is_no_directory_has_no_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/dev/null")
    assert ca_directory(tmp_path / "store") == tmp_path / "store" / "ca"


@pytest.mark.usefixtures("no_home")
def test_without_a_home_a_store_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"store\.path: expected a directory, since this user has no home directory"):
        default_store()
    assert default_settings_file() is None
    assert ca_directory(tmp_path) == tmp_path / "ca"
    with pytest.raises(ConfigError, match='found "~/x", expected a path without "~"'):
        expanded("~/x")
