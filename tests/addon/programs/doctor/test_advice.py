"""The advice of `secondhand doctor` is a shell command for the program and this system."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from addon.programs.doctor.advice import ProxySetup, copies_command, proxy_command, trust_command
from addon.programs.doctor.programs import PROGRAMS
from addon.programs.trust.client_files import write_client_files
from addon.programs.trust.files import TrustFiles

SETUP = ProxySetup(
    "http://127.0.0.1:8080", TrustFiles(Path("/a home/ca.pem"), Path("/a home/ca.p12"), Path("/a home/apt.conf"))
)
NAMES = [program.name for program in PROGRAMS]


@pytest.mark.parametrize("name", NAMES)
def test_every_program_has_commands_that_can_be_pasted_into_a_shell(name: str) -> None:
    commands = (
        proxy_command(name, SETUP),
        trust_command(name, SETUP, "linux"),
        trust_command(name, SETUP, "darwin"),
        copies_command(name),
    )
    for command in commands:
        assert shlex.split(command)
        assert not {"FILE", "URL", "..."} & set(shlex.split(command))


def test_a_path_with_a_space_is_one_word() -> None:
    assert shlex.split(trust_command("npm", SETUP, "linux")) == ["npm", "config", "set", "cafile", "/a home/ca.pem"]
    assert shlex.split(trust_command("curl", SETUP, "linux"))[1] == 'cacert = "/a home/ca.pem"'


def test_the_advice_for_php_names_the_folder_with_its_settings(tmp_path: Path) -> None:
    values = write_client_files(tmp_path, tmp_path / "ca.pem", {"HOME": str(tmp_path)})
    files = TrustFiles(tmp_path / "ca.pem", tmp_path / "ca.p12", tmp_path / "apt.conf")
    advice = trust_command("PHP", ProxySetup("http://127.0.0.1:8080", files), "linux")
    assert advice == f"export PHP_INI_SCAN_DIR={values['PHP_INI_SCAN_DIR']}"


def test_on_macos_programs_without_another_ca_setting_use_the_keychain() -> None:
    assert "security add-trusted-cert" in trust_command("Chromium", SETUP, "darwin")
    assert "git config" in trust_command("git", SETUP, "darwin")


def test_for_chromium_certutil_is_installed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/dnf" if name == "dnf" else None)
    assert trust_command("Chromium", SETUP, "linux") == "sudo dnf install nss-tools && secondhand trust install"
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert trust_command("Chromium", SETUP, "linux") == "secondhand trust install"
