"""The check of the CA says what the start would say, and writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from addon.config.errors import ConfigError
from addon.config.settings import Settings
from addon.serve.own_ca import check_ca, make_ca


def settings(directory: Path, **more: object) -> Settings:
    return Settings.model_validate({"tls": {"directory": str(directory)}, **more})


def test_a_place_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given = settings(tmp_path / "file" / "a" / "b")
    with pytest.raises(ConfigError) as checked:
        check_ca(given)
    with pytest.raises(ConfigError) as made:
        make_ca(given)
    assert str(checked.value) == str(made.value)


def test_a_ca_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "mitmproxy-ca.pem").write_text("nothing")
    given = settings(tmp_path)
    with pytest.raises(ConfigError) as checked:
        check_ca(given)
    with pytest.raises(ConfigError) as made:
        make_ca(given)
    assert str(checked.value) == str(made.value)


@pytest.mark.parametrize(("flags", "problem"), [(0, "Permission denied"), (os.ST_RDONLY, "Read-only file system")])
def test_a_place_that_this_user_cannot_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: int, problem: str
) -> None:
    system = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser could write anywhere
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((*system[:8], flags, *system[9:])))
    with pytest.raises(ConfigError, match=f"{tmp_path}/missing: {problem}"):
        check_ca(settings(tmp_path / "missing" / "folder"))
    check_ca(settings(tmp_path / "missing", edge="http://127.0.0.1:8000"))  # an edge needs none


def test_nothing_is_written(tmp_path: Path) -> None:
    check_ca(settings(tmp_path / "missing" / "folder"))
    assert not list(tmp_path.iterdir())
