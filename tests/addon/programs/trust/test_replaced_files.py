"""Files that other programs read while they are written anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.trust.replaced_files import EXECUTABLE, READABLE, replace_file


def test_a_replaced_file_has_the_new_data_and_the_permissions(tmp_path: Path) -> None:
    for data, permissions in ((b"old", READABLE), (b"new", EXECUTABLE)):
        replace_file(tmp_path / "file", data, permissions)
        assert (tmp_path / "file").read_bytes() == data
        assert (tmp_path / "file").stat().st_mode & 0o777 == permissions
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_another_process_may_replace_the_same_file_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, set_permissions = tmp_path / "file", Path.chmod

    def replace_meanwhile(draft: Path, permissions: int) -> None:
        monkeypatch.undo()
        replace_file(file, b"of another process")
        set_permissions(draft, permissions)

    monkeypatch.setattr(Path, "chmod", replace_meanwhile)
    replace_file(file, b"of this process")
    assert file.read_bytes() == b"of this process"


def test_a_failure_leaves_the_file_and_no_draft(tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(folder, b"")
    assert list(tmp_path.iterdir()) == [folder]
