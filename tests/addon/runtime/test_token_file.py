"""Files with a token, as the admin API and purges over HTTP have them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from addon.runtime.token_file import TokenFile


def test_a_new_token_is_for_this_user_only_and_stays_the_same(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "store" / "admin-token")
    file.make()
    token = file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.make()
    assert file.path.read_text() == token
    assert len(token.strip()) == 64
    assert file.is_token(token.strip())


def test_no_link_is_followed_to_make_it(tmp_path: Path) -> None:
    (tmp_path / "admin-token").symlink_to(tmp_path / "elsewhere")
    TokenFile(tmp_path / "admin-token").make()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 64, "é".encode() * 32])
def test_a_file_without_a_usable_token_admits_nobody(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert not TokenFile(file).is_token(content.decode("latin-1").strip())
    assert not TokenFile(file).is_token("")


def test_without_a_file_nobody_is_admitted_and_a_pipe_does_not_stop_the_proxy(tmp_path: Path) -> None:
    assert not TokenFile(tmp_path / "a-file" / "token").is_token("")
    os.mkfifo(tmp_path / "pipe")
    assert not TokenFile(tmp_path / "pipe").is_token("")
    with (tmp_path / "pipe").open("r+b", buffering=0):  # something that may write to it later
        assert not TokenFile(tmp_path / "pipe").is_token("")


def test_a_file_that_was_removed_is_made_again_with_another_token(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "store" / "admin-token")
    file.make()
    old = file.path.read_text().strip()
    shutil.rmtree(tmp_path / "store")
    assert not file.is_token(old)
    assert file.is_token(file.path.read_text().strip())
    assert not file.is_token(old)


@pytest.mark.parametrize("has_links", [True, False])
def test_an_empty_file_as_a_full_disk_leaves_it_gets_a_token(
    has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    if not has_links:
        monkeypatch.setattr(os, "link", refused)
    (tmp_path / "empty").touch()
    for name in ("empty", "missing"):
        file = TokenFile(tmp_path / name)
        file.make()
        assert file.is_token(file.path.read_text().strip())
        assert file.path.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in tmp_path.iterdir()} == {"empty", "missing"}


def test_a_token_that_another_process_makes_at_the_same_time_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TokenFile(tmp_path / "token")
    link = os.link

    def other_is_faster(temporary: Path, path: Path) -> None:
        path.write_text("the-token-of-the-other")
        link(temporary, path)

    monkeypatch.setattr(os, "link", other_is_faster)
    file.make()
    assert file.is_token("the-token-of-the-other")


def test_a_new_token_is_in_force_as_soon_as_it_is_written(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "token")
    file.path.write_text("the-first-token-of-all")
    assert file.is_token("the-first-token-of-all")
    file.path.write_text("the-second-token-of-all")
    assert not file.is_token("the-first-token-of-all")
    assert file.is_token("the-second-token-of-all")
