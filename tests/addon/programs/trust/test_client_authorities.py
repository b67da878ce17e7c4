"""The CA files that single programs were told to trust."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from addon.programs.trust.client_authorities import CA_FILES, client_authorities


def authorities(environ: Mapping[str, str]) -> list[Path]:
    """Return the files, without those that the settings of this machine name."""
    of_this_machine = set(client_authorities({"HOME": "/nowhere"}))
    return [file for file in client_authorities(environ) if file not in of_this_machine]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own ca.pem"
    file.touch()
    return file


@pytest.mark.parametrize("name", CA_FILES)
def test_the_file_that_a_variable_names(own: Path, tmp_path: Path, name: str) -> None:
    assert authorities({"HOME": str(tmp_path), name: str(own)}) == [own]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (".npmrc", "cafile={ca}"),
        (".npmrc", 'registry=https://a.test\ncafile = "{ca}"\n'),
        (".config/pip/pip.conf", "[global]\ncert = {ca}\n"),
        (".gitconfig", "[http]\n\tsslCAInfo = {ca}\n"),
        (".curlrc", '--cacert "{ca}"'),
        (".curlrc", "cacert = {ca}"),
        (".cargo/config.toml", '[http]\ncainfo = "{ca}" # ours\n'),
        (".wgetrc", "ca_certificate={ca}\r\n"),
        (".lftp/rc", 'set ssl:ca-file "{ca}"'),
        (".aria2/aria2.conf", "ca-certificate={ca}"),
        (".yarnrc.yml", 'httpsCaFilePath: "{ca}"'),
    ],
)
def test_the_file_that_the_settings_of_a_program_name(own: Path, tmp_path: Path, settings: str, text: str) -> None:
    (tmp_path / settings).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / settings).write_text(text.format(ca=own))
    assert authorities({"HOME": str(tmp_path)}) == [own]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (".gitconfig", '[http "https://git.internal"]\n\tsslCAInfo = {ca}\n'),
        (
            ".gitconfig",
            '[http]\n\tproxy = x\n[http "https://[::1]/"] # ours\r\n\tsslVerify = true\r\n\tsslCAInfo = {ca}\n',
        ),
        (".gitconfig", "[http.https://git.internal]\nsslCAInfo = {ca}\n"),
        (".npmrc", "//npm.internal/:cafile={ca}"),
        (".lftp/rc", 'set ssl:ca-file/ftp.internal "{ca}"'),
        (".yarnrc.yml", 'networkSettings:\n  "*.internal":\n    httpsCaFilePath: "{ca}"'),
    ],
)
def test_a_file_for_some_hosts_is_left_out(own: Path, tmp_path: Path, settings: str, text: str) -> None:
    (tmp_path / settings).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / settings).write_text(text.format(ca=own))
    assert authorities({"HOME": str(tmp_path)}) == []


def test_a_file_for_all_hosts_may_stand_behind_one_for_some(own: Path, tmp_path: Path) -> None:
    sections = '[http "https://git.internal"]\n\tsslCAInfo = /nowhere\n[http]\n\tsslCAInfo = {ca}\n'
    (tmp_path / ".gitconfig").write_text(sections.format(ca=own))
    assert authorities({"HOME": str(tmp_path)}) == [own]


def test_paths_below_the_home_directory_and_settings_that_a_variable_names(own: Path, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text(f"ca_certificate = ~/{own.name}")
    assert authorities({"HOME": str(tmp_path), "WGETRC": str(tmp_path / "settings")}) == [own]


def test_comments_and_files_that_do_not_exist_are_ignored(own: Path, tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text(f"#cafile={own}\n;cafile={own}\ncafile=/nowhere\n")
    assert authorities({"HOME": str(tmp_path), "PIP_CERT": "/nowhere", "CURL_CA_BUNDLE": ""}) == []


def test_a_certificate_in_place_of_a_path_is_ignored(tmp_path: Path) -> None:
    variables = {"CURL_CA_BUNDLE": f"-----BEGIN CERTIFICATE-----\n{'YQ==' * 2000}", "PIP_CONFIG_FILE": "a" * 5000}
    assert authorities({"HOME": str(tmp_path), **variables}) == []


def test_a_project_cannot_name_a_ca(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / ".npmrc").write_text(f"cafile={own}")
    monkeypatch.chdir(project)
    assert authorities({"HOME": str(tmp_path)}) == []
