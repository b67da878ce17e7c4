"""What the doctor says to do is a command for this program and this system."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from addon.programs.doctor.advice import Lasting, reach, take, trust
from addon.programs.doctor.programs import PROGRAMS
from addon.programs.trust.files import TrustFiles

LASTING = Lasting(
    "http://127.0.0.1:8080", TrustFiles(Path("/a home/ca.pem"), Path("/a home/ca.p12"), Path("/a home/apt.conf"))
)
NAMES = [program.name for program in PROGRAMS]


@pytest.mark.parametrize("name", NAMES)
def test_every_program_has_commands_that_a_shell_takes_as_they_are(name: str) -> None:
    for command in (reach(name, LASTING), trust(name, LASTING, "linux"), trust(name, LASTING, "darwin"), take(name)):
        assert shlex.split(command)
        assert not {"FILE", "URL", "..."} & set(shlex.split(command))


def test_a_path_with_a_space_is_one_word() -> None:
    assert shlex.split(trust("npm", LASTING, "linux")) == ["npm", "config", "set", "cafile", "/a home/ca.pem"]
    assert shlex.split(trust("curl", LASTING, "linux"))[1] == 'cacert = "/a home/ca.pem"'


def test_on_macos_the_keychain_is_told_where_nothing_else_is_asked() -> None:
    assert "security add-trusted-cert" in trust("Chromium", LASTING, "darwin")
    assert "git config" in trust("git", LASTING, "darwin")


def test_what_chromium_needs_is_installed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/dnf" if name == "dnf" else None)
    assert trust("Chromium", LASTING, "linux") == "sudo dnf install nss-tools && secondhand trust install"
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert trust("Chromium", LASTING, "linux") == "secondhand trust install"
