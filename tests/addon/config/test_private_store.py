"""The size of the private store, by the room on its disk."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from addon.config import private_store
from addon.config.private_store import configure_private, default_size, present_project

GIB = 1024**3


@pytest.mark.parametrize(
    ("free", "size"),
    [
        (200 * GIB, 100 * GIB),
        (30 * GIB, 20 * GIB),
        (10 * GIB, 9 * GIB),
        (0, 1),
    ],
)
def test_it_is_half_of_the_room_or_20_gib_and_leaves_a_tenth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, size: int
) -> None:
    monkeypatch.setattr(private_store, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert default_size(tmp_path / "not" / "there") == size


def test_the_project_is_the_repository_or_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inner = tmp_path / "project" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert present_project() == str(inner)
    (tmp_path / "project" / ".git").mkdir()
    assert present_project() == str(tmp_path / "project")


def test_what_the_store_uses_already_counts_as_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(private_store, "disk_usage", lambda _path: SimpleNamespace(free=100 * GIB))
    monkeypatch.setattr("cache.stores.disk.space.bytes_in_use", lambda _path: 60 * GIB)
    assert default_size(tmp_path) == 80 * GIB


def test_the_disk_is_not_asked_if_the_settings_have_a_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Path] = []

    def size(directory: Path) -> int:
        asked.append(directory)
        return 20 * GIB

    monkeypatch.setattr(private_store, "default_size", size)
    file = tmp_path / "secondhand.toml"
    file.write_text('[store]\nmax_size = "1 GiB"\n')
    assert configure_private(str(file), str(tmp_path / "store")).settings.store.max_size == GIB
    assert asked == []
    file.write_text("")
    assert configure_private(str(file), str(tmp_path / "store")).settings.store.max_size == 20 * GIB
    assert asked == [tmp_path / "store"]
