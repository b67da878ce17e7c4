"""Files that several processes change: one after another, and never through a symbolic link."""

from __future__ import annotations

import os
import stat
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest

from addon.runtime.locked_file import locked_file, rewrite


def test_nobody_else_has_the_lock_while_the_file_is_open(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with locked_file(path), path.open() as other, pytest.raises(BlockingIOError):
        flock(other, LOCK_EX | LOCK_NB)
    with path.open() as other:
        flock(other, LOCK_EX | LOCK_NB)


def test_a_new_file_is_for_this_user_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with locked_file(tmp_path / "list") as file:
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    finally:
        os.umask(before)


def test_shorter_content_takes_the_place_of_all_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"one\ntwo\n")
    with locked_file(path) as file:
        assert file.read() == b"one\ntwo\n"
        rewrite(file, b"two\n")
    assert path.read_bytes() == b"two\n"


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (tmp_path / "list").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), locked_file(tmp_path / "list") as file:
        rewrite(file, b"")
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"
