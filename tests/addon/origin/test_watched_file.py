"""Files that other programs change."""

from __future__ import annotations

from pathlib import Path

from addon.origin.watched_file import WatchedFile


def test_a_file_has_changed_at_first_and_after_each_change(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    watched = WatchedFile(path)
    assert [watched.changed(), watched.changed(), watched.text()] == [True, False, ""]
    path.write_text("one")
    assert [watched.changed(), watched.changed(), watched.text()] == [True, False, "one"]
    path.unlink()
    assert [watched.changed(), watched.changed()] == [True, False]


def test_the_target_of_a_symbolic_link_counts(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.symlink_to(tmp_path / "stub")
    watched = WatchedFile(path)
    watched.changed()
    (tmp_path / "stub").write_text("one")
    assert watched.changed()
