"""Settings files for programs that read no variable about CAs, beside the user's own settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from addon.programs.trust.client_files import write_client_files


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "a home"
    home.mkdir()
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "our files"
    folder.mkdir()
    return folder


@pytest.fixture
def bundle(folder: Path) -> Path:
    return folder / "authorities.pem"


def test_wget_keeps_the_users_lines_except_for_proxy_and_ca(folder: Path, bundle: Path, home: Path) -> None:
    (home / ".wgetrc").write_text("tries = 3\nhttps_proxy = http://other:1\nCA-Certificate=/own.pem\n")

    values = write_client_files(folder, bundle, {"HOME": str(home)})

    assert Path(values["WGETRC"]).read_text() == f"tries = 3\nca_certificate = {bundle}\n"
    assert Path(values["WGET2RC"]).read_text() == f"ca-certificate = {bundle}\n"


def test_wget_keeps_the_file_that_a_variable_names(folder: Path, bundle: Path, home: Path) -> None:
    own = home / "other"
    own.write_text("tries = 5")
    values = write_client_files(folder, bundle, {"HOME": str(home), "WGETRC": str(own)})
    assert Path(values["WGETRC"]).read_text() == f"tries = 5\nca_certificate = {bundle}\n"


def test_files_of_the_user_that_cannot_be_read_are_left_out(folder: Path, bundle: Path, home: Path) -> None:
    (home / ".lftp").write_text("no folder")
    too_long = "a" * 5000
    values = write_client_files(folder, bundle, {"HOME": str(home), "WGETRC": too_long, "WGET2RC": str(home)})
    assert Path(values["WGETRC"]).read_text() == f"ca_certificate = {bundle}\n"
    assert (folder / "lftp" / "rc").read_text() == f'set ssl:ca-file "{bundle}"\n'


@pytest.mark.parametrize("place", [".lftp", ".config/lftp"])
def test_lftp_reads_the_users_settings_first_and_has_the_users_bookmarks(
    folder: Path, bundle: Path, home: Path, place: str
) -> None:
    own = home / place
    own.mkdir(parents=True)
    (own / "rc").write_text("set net:timeout 5\n")
    data = own if place == ".lftp" else home / ".local" / "share" / "lftp"
    data.mkdir(parents=True, exist_ok=True)
    (data / "bookmarks").write_text("a http://a.test/\n")

    lftp = Path(write_client_files(folder, bundle, {"HOME": str(home)})["LFTP_HOME"])

    assert (lftp / "rc").read_text() == f'source "{own / "rc"}"\nset ssl:ca-file "{bundle}"\n'
    assert (lftp / "bookmarks").read_text() == "a http://a.test/\n"
    assert (lftp / "cwd_history").readlink() == data / "cwd_history"


@pytest.mark.parametrize(
    ("before", "folders"), [(None, ":{ours}"), ("", "{ours}"), ("/a:/b", "/a:/b:{ours}"), (":/a", ":/a:{ours}")]
)
def test_php_reads_its_other_folders_first(
    folder: Path, bundle: Path, home: Path, before: str | None, folders: str
) -> None:
    environ = {"HOME": str(home), **({} if before is None else {"PHP_INI_SCAN_DIR": before})}

    values = write_client_files(folder, bundle, environ)

    assert values["PHP_INI_SCAN_DIR"] == folders.format(ours=folder / "php")
    assert f'curl.cainfo = "{bundle}"' in (folder / "php" / "secondhand.ini").read_text()


@pytest.mark.parametrize(
    ("command", "option"), [("aria2c", "--ca-certificate={bundle}"), ("hg", "--config=web.cacerts={bundle}")]
)
def test_a_program_without_a_variable_gets_the_bundle_before_the_arguments_of_the_user(
    folder: Path, bundle: Path, home: Path, command: str, option: str
) -> None:
    installed = home / "bin"
    installed.mkdir()
    (installed / command).write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (installed / command).chmod(0o755)

    values = write_client_files(folder, bundle, {"HOME": str(home), "PATH": f"{installed}:/nowhere"})

    variables = {**os.environ, "PATH": f"{values['PATH']}:/bin"}
    printed = subprocess.run([command, "--own", "a b"], env=variables, capture_output=True, check=True)
    assert printed.stdout.decode() == f"{option.format(bundle=bundle)}\n--own\na b\n"
    assert [each.name for each in (folder / "bin").iterdir()] == [command]


def test_without_these_programs_the_path_stays_as_it_is(folder: Path, bundle: Path, home: Path) -> None:
    assert "PATH" not in write_client_files(folder, bundle, {"HOME": str(home), "PATH": str(home)})


def test_in_a_shell_that_has_the_variables_already_nothing_changes(folder: Path, bundle: Path, home: Path) -> None:
    (home / ".wgetrc").write_text("tries = 3\n")
    (home / ".lftp").mkdir()
    (home / ".lftp" / "rc").write_text("set net:timeout 5\n")
    (home / "aria2c").write_text("#!/bin/sh\n")
    (home / "aria2c").chmod(0o755)
    first = write_client_files(folder, bundle, {"HOME": str(home), "PATH": str(home)})
    files = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    assert write_client_files(folder, bundle, {"HOME": str(home), **first}) == first
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == files
